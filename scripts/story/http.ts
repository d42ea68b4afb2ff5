/** A request that must succeed; its failure names what was asked and what came back. */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
  if (response.status >= 400) {
    const body = (await response.text()).slice(0, 600);
    throw new Error(`${init.method ?? 'GET'} ${url} answered ${response.status}: ${body}`);
  }
  return response;
}

export async function getJson<T>(url: string, headers: Record<string, string> = {}): Promise<T> {
  return (await (await request(url, { headers })).json()) as T;
}

export async function postJson<T>(url: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
  return (await (await request(url, init)).json()) as T;
}

/** Asks until the answer is there. Throws with `what` when it does not come in time. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, seconds = 60): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`Waited ${seconds} s for ${what}; it did not come.`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

import type { Ending } from './connection.ts';

/** What the administrator's browser shows in the end. No scripts, nothing from elsewhere. */
export function pageOf(ending: Ending): { status: number; html: string } {
  const connected = ending.kind === 'connected';
  const title = connected ? 'Fortnox is connected' : 'Fortnox is not connected';
  const text = connected
    ? `The books are kept in ${ending.company} (${ending.organizationNumber}). Vouchers that waited go on by themselves.`
    : ending.message;
  return {
    status: connected ? 200 : 400,
    html: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1a2b2b}</style>
<h1>${title}</h1>
<p>${escaped(text)}</p>
<p>You can close this page.</p>
</html>
`,
  };
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);

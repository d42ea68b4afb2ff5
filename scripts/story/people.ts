import { postJson, request } from './http.ts';
import { owner } from './firestore-rest.ts';

export interface Person {
  uid: string;
  email: string;
  name: string;
  claims: Record<string, boolean>;
}

/** The test logins of the local stack. All have this password. */
export const password = 'inner-journey';

export const karin: Person = {
  uid: 'coach-karin',
  email: 'karin@example.se',
  name: 'Karin Coach',
  claims: { coach: true },
};
export const lisa: Person = { uid: 'customer-lisa', email: 'lisa@example.se', name: 'Lisa Kund', claims: {} };
export const anna: Person = {
  uid: 'admin-anna',
  email: 'anna@example.se',
  name: 'Anna Admin',
  claims: { admin: true },
};

const admin = { Authorization: `Bearer ${owner}` };

/** Makes the login if it is not there, and sets its roles. */
export async function ensurePerson(authUrl: string, projectId: string, person: Person): Promise<void> {
  const base = `${authUrl}/identitytoolkit.googleapis.com/v1/projects/${projectId}/accounts`;
  const found = await postJson<{ users?: unknown[] }>(`${base}:lookup`, { localId: [person.uid] }, admin);
  if (!found.users?.length) {
    await postJson(
      base,
      { localId: person.uid, email: person.email, displayName: person.name, password, emailVerified: true },
      admin,
    );
  }
  await postJson(`${base}:update`, { localId: person.uid, customAttributes: JSON.stringify(person.claims) }, admin);
}

/** Signs in with e-mail and password, as a client app does; returns the ID token. */
export async function signIn(authUrl: string, person: Person): Promise<string> {
  const url = `${authUrl}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=local`;
  const { idToken } = await postJson<{ idToken: string }>(url, {
    email: person.email,
    password,
    returnSecureToken: true,
  });
  return idToken;
}

/** Calls a callable function as the Firebase client SDKs do. */
export async function call<T>(functionsUrl: string, name: string, data: unknown, token: string): Promise<T> {
  const { result } = await postJson<{ result: T }>(
    `${functionsUrl}/${name}`,
    { data },
    { Authorization: `Bearer ${token}` },
  );
  return result;
}

/** Fires a scheduled function the way Cloud Scheduler does, at the time it is due. */
export async function fire(functionsUrl: string, name: string, at: Date): Promise<void> {
  const headers = { 'X-CloudScheduler': 'true', 'X-CloudScheduler-ScheduleTime': at.toISOString() };
  await request(`${functionsUrl}/${name}-0`, { method: 'POST', headers });
}

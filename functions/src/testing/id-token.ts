import type { Person } from '../../../scripts/story/people.ts';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An ID token as the Auth emulator signs them: not at all. The Admin SDK takes it only beside that emulator. */
export function idTokenOf(projectId: string, person: Person, issuedAt: Date = new Date()): string {
  const seconds = Math.floor(issuedAt.getTime() / 1000);
  const claims = {
    iss: `https://securetoken.google.com/${projectId}`,
    aud: projectId,
    sub: person.uid,
    user_id: person.uid,
    email: person.email,
    email_verified: true,
    name: person.name,
    auth_time: seconds,
    iat: seconds,
    exp: seconds + 3600,
    firebase: { identities: { email: [person.email] }, sign_in_provider: 'password' },
    ...person.claims,
  };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
}

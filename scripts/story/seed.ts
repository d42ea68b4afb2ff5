import { owner, type Documents } from './firestore-rest.ts';
import { anna, ensurePerson, karin, lisa } from './people.ts';

export const programmeId = 'coaching-four-weeks';
export const premiumId = 'premium-month';

/** The catalogue and the logins a fresh stack needs. Running it again changes nothing. */
export async function seed(documents: Documents, authUrl: string, projectId: string): Promise<void> {
  for (const person of [karin, lisa, anna]) await ensurePerson(authUrl, projectId, person);
  await ensure(documents, `products/${programmeId}`, {
    name: 'Coachningsprogram, fyra veckor',
    kind: 'programme',
    amountMinor: 49_900,
    currency: 'SEK',
    coachId: karin.uid,
    vatRate: 25,
    accessWeeks: 4,
    active: true,
  });
  await ensure(documents, `products/${premiumId}`, {
    name: 'Inner Journey Premium',
    kind: 'subscription',
    amountMinor: 9_900,
    currency: 'SEK',
    interval: 'month',
    vatRate: 25,
    active: true,
  });
}

async function ensure(documents: Documents, path: string, fields: Record<string, unknown>): Promise<void> {
  if (!(await documents.read(path, owner))) await documents.write(path, fields, owner);
}

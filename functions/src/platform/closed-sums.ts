import { AggregateField, Timestamp, type Firestore, type Query, type Transaction } from 'firebase-admin/firestore';
import { days, hours } from './clock.ts';

/**
 * Sums over all that a collection ever took in. What came before some moment is added up once and kept in
 * `closedSums/{id}`; a question adds up only what came since, so that it is as short in ten years as on the first day.
 */
export interface Summed<Field extends string> {
  /** Of its document in `closedSums`. */
  id: string;
  /** All that is added up: a collection, narrowed by equalities at most. */
  query: Query;
  /** When a document came, by our clock. It is written with what is added up, and neither changes after it. */
  cameAt: 'createdAt' | 'postedAt';
  /** Where in a document each part stands. */
  fields: Fields<Field>;
}

export type Fields<Field extends string> = Readonly<Record<Field, string>>;

export interface Sums<Field extends string> {
  count: number;
  sums: Record<Field, number>;
}

/** What came before `until`; after a first closing the document `closedSums/{id}`. */
export interface ClosedSum<Field extends string = string> extends Sums<Field> {
  until: Timestamp;
}

/** A document may be seen later than the time written in it: a transaction lives 270 seconds, and clocks differ by little. */
const settledMs = hours(1);

/** What is added up at once when much is to be closed. */
const pieceMs = days(31);

/** Firestore takes at most five aggregations in one query. */
const perQuery = 5;

/** Everything, at the transaction's moment. */
export async function totalOf<Field extends string>(of: Summed<Field>, tx: Transaction): Promise<Sums<Field>> {
  const closed = await closedSum(of, tx);
  return plus(closed, await added(of.query.where(of.cameAt, '>=', closed.until), of.fields, tx));
}

/** What a query finds. Asked five sums at a time: at one moment only inside a transaction. */
export async function added<Field extends string>(
  query: Query,
  fields: Fields<Field>,
  tx?: Transaction,
): Promise<Sums<Field>> {
  const asked: [string, AggregateField<number>][] = [
    ...Object.entries<string>(fields).map(([name, path]): [string, AggregateField<number>] => [
      name,
      AggregateField.sum(path),
    ]),
    ['count', AggregateField.count()],
  ];
  const found: Record<string, number> = {};
  for (let at = 0; at < asked.length; at += perQuery) {
    const some = query.aggregate(Object.fromEntries(asked.slice(at, at + perQuery)));
    Object.assign(found, (await (tx ? tx.get(some) : some.get())).data());
  }
  const { count = 0, ...sums } = found;
  return { count, sums: sums as Record<Field, number> };
}

/** Moves what is closed forward, to an hour ago. Cut short it goes on the next time; two at once do it once. */
export async function closeSum<Field extends string>(of: Summed<Field>, now: Date): Promise<void> {
  const until = Timestamp.fromMillis(now.getTime() - settledMs);
  for (;;) {
    const from = await closedSum(of);
    const to = await further(of, from, until);
    if (!to) return;
    await replaceSum(of, from, to);
  }
}

/** Adds up from the very beginning what is closed, piece by piece. Undefined when what is kept is right. */
export async function recounted<Field extends string>(
  of: Summed<Field>,
): Promise<{ kept: ClosedSum<Field>; right: ClosedSum<Field> } | undefined> {
  const kept = await closedSum(of);
  let right = nothing(of);
  for (let next: typeof right | undefined = right; next; next = await further(of, next, kept.until)) right = next;
  right = { ...right, until: kept.until };
  return same(right, kept) ? undefined : { kept, right };
}

/** Nothing happens where something else is kept meanwhile. */
export async function replaceSum<Field extends string>(
  of: Summed<Field>,
  kept: ClosedSum<Field>,
  next: ClosedSum<Field>,
): Promise<void> {
  const { firestore } = of.query;
  await firestore.runTransaction(async (tx) => {
    if (same(await closedSum(of, tx), kept)) tx.set(ref(firestore, of.id), next);
  });
}

/** Of two sums, what is in the first and not in the second. */
export const lessSums = <Field extends string>(all: Record<Field, number>, some: Record<Field, number>) =>
  combine(all, some, -1);

const ref = (db: Firestore, id: string) => db.collection('closedSums').doc(id);

async function closedSum<Field extends string>(of: Summed<Field>, tx?: Transaction): Promise<ClosedSum<Field>> {
  const kept = ref(of.query.firestore, of.id);
  return ((await (tx ? tx.get(kept) : kept.get())).data() as ClosedSum<Field> | undefined) ?? nothing(of);
}

/** Another piece on; undefined when nothing more came before `until`. Months in which nothing came cost nothing. */
async function further<Field extends string>(
  { query, cameAt, fields }: Summed<Field>,
  from: ClosedSum<Field>,
  until: Timestamp,
): Promise<ClosedSum<Field> | undefined> {
  const later = query.where(cameAt, '>=', from.until);
  const [first] = (await later.orderBy(cameAt).limit(1).select(cameAt).get()).docs;
  const beginsAt = first?.get(cameAt) as Timestamp | undefined;
  if (!beginsAt || beginsAt.toMillis() >= until.toMillis()) return undefined;
  const end = Timestamp.fromMillis(Math.min(beginsAt.toMillis() + pieceMs, until.toMillis()));
  return { ...plus(from, await added(later.where(cameAt, '<', end), fields)), until: end };
}

const nothing = <Field extends string>({ fields }: Summed<Field>): ClosedSum<Field> => ({
  until: Timestamp.fromMillis(0),
  count: 0,
  sums: Object.fromEntries(Object.keys(fields).map((name) => [name, 0])) as Record<Field, number>,
});

const plus = <Field extends string>(a: Sums<Field>, b: Sums<Field>): Sums<Field> => ({
  count: a.count + b.count,
  sums: combine(a.sums, b.sums, 1),
});

const combine = <Field extends string>(a: Record<Field, number>, b: Record<Field, number>, sign: 1 | -1) =>
  Object.fromEntries((Object.keys(b) as Field[]).map((name) => [name, a[name] + sign * b[name]])) as Record<
    Field,
    number
  >;

const same = <Field extends string>(a: ClosedSum<Field>, b: ClosedSum<Field>): boolean =>
  a.until.isEqual(b.until) &&
  a.count === b.count &&
  (Object.keys(b.sums) as Field[]).every((name) => a.sums[name] === b.sums[name]);

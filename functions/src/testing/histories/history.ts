import type Stripe from 'stripe';
import { days, hours, minutes } from '../../platform/clock.ts';
import { Refusal } from '../../platform/errors.ts';
import { SweepFailed, sweepOnce } from '../../reconciliation/sweep.service.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { below, pick, seededRandom, shuffle, type Random } from '../random.ts';
import { players, type Step } from './players.ts';
import { openStage, type Stage } from './stage.ts';

/** One random history, all of it following from its seed. */
export interface History {
  stage: Stage;
  /** What was done, in order, and what it came to. */
  log: string[];
  deliveries: { first: number; again: number; late: number; together: number };
  /** Commands sent twice at once, and deaths of the process. */
  twice: number;
  deaths: number;
}

interface Post {
  waiting: Stripe.Event[];
  heard: Stripe.Event[];
  /** How many of Stripe's events were collected. */
  taken: number;
}

const fewest = 5;
const most = 20;
/** What is drawn and cannot be done is drawn again. */
const mostDraws = 4;

type Weights = Record<Step, number>;
const usual: Weights = {
  buy: 9,
  order: 3,
  'try again': 2,
  authenticate: 3,
  refund: 6,
  'refund at Stripe': 3,
  'cancel a refund': 2,
  'answer a dispute': 4,
  subscribe: 4,
  'change a subscription': 3,
  'change a card': 3,
  'complete a session': 2,
  'pay out': 3,
  'pay the platform out': 1,
  'change terms': 1,
  'settle an invoice': 2,
  'cancel a payment': 1,
  'move money by hand': 1,
  trouble: 1,
};
/** Some histories have more of one thing, and some go by months. */
const themes: { more: Partial<Weights>; byMonths?: true }[] = [
  { more: {} },
  { more: {} },
  { more: { subscribe: 9, 'change a card': 12, 'settle an invoice': 6 }, byMonths: true },
  { more: { subscribe: 12, 'change a subscription': 9, refund: 9 }, byMonths: true },
  { more: { refund: 12, 'refund at Stripe': 8, 'cancel a refund': 6, 'pay the platform out': 5 } },
  { more: { refund: 12, 'pay out': 15 } },
  { more: { 'answer a dispute': 15, refund: 9 } },
  { more: { 'complete a session': 9, refund: 9 } },
  { more: { trouble: 5, 'move money by hand': 5, 'cancel a payment': 5 } },
];

export async function playHistory(seed: number): Promise<History> {
  const random = seededRandom(seed);
  const stage = await openStage(random);
  const history: History = {
    stage,
    log: [],
    deliveries: { first: 0, again: 0, late: 0, together: 0 },
    twice: 0,
    deaths: 0,
  };
  const post: Post = { waiting: [], heard: [], taken: 0 };
  const { more, byMonths } = pick(random, themes);
  const weights = Object.entries({ ...usual, ...more });
  const lots = weights.flatMap(([step, weight]) => Array.from({ length: weight }, () => step as Step));
  const steps = fewest + below(random, most - fewest + 1);
  for (let at = 1; at <= steps; at++) {
    // Something is bought before anything else can be done about it.
    const from: Step[] = at === 1 ? ['buy'] : at === 2 ? ['buy', 'order', 'subscribe'] : lots;
    await doStep(history, random, from, `step-${seed}-${at}`);
    stage.advance(byMonths ? monthsByLot(random) : daysByLot(random));
    await between(history, post, random);
  }
  await settle(history, post, random);
  return history;
}

async function doStep(history: History, random: Random, from: readonly Step[], name: string): Promise<void> {
  const { stage, log } = history;
  for (let draws = 1; draws <= mostDraws; draws++) {
    const step = pick(random, from);
    // The same command may be sent twice at once: a double click, an impatient client.
    const lot = below(random, 2 ** 31);
    const times = random() < 0.1 ? 2 : 1;
    if (random() < 0.05) stage.dieAfter(below(random, 40));
    const asked = Array.from({ length: times }, () => players[step](stage, seededRandom(lot), `${name}-${draws}`));
    const answers = await Promise.allSettled(asked);
    const died = stage.revive();
    history.twice += times - 1;
    history.deaths += died ? 1 : 0;
    const said = answers.map((answer) => wordOf(answer, died));
    if (said.every((word) => word === 'nothing')) continue;
    log.push([died ? `${step} (died)` : step, ...said.filter((word) => word !== 'done')].join(': '));
    return;
  }
}

function wordOf(answer: PromiseSettledResult<false | void>, died: boolean): string {
  if (answer.status === 'fulfilled') return answer.value === false ? 'nothing' : 'done';
  const error: unknown = answer.reason;
  if (died) return 'not known';
  if (!isRefusal(error)) throw error;
  return error instanceof Refusal ? error.reason : error.message;
}

/** A no from us or from Stripe is an answer; anything else is a fault of ours. */
const isRefusal = (error: unknown): error is Error =>
  error instanceof Refusal || (error instanceof Error && error.constructor.name.startsWith('Stripe'));

function daysByLot(random: Random): number {
  const lot = random();
  if (lot < 0.45) return 1_000 * below(random, 120);
  if (lot < 0.7) return minutes(1 + below(random, 600));
  return lot < 0.95 ? days(1 + below(random, 8)) : days(20 + below(random, 15));
}

function monthsByLot(random: Random): number {
  const lot = random();
  if (lot < 0.2) return 1_000 * below(random, 120);
  return lot < 0.65 ? days(1 + below(random, 4)) : days(27 + below(random, 6));
}

/** Some of the post comes, and the sweep may run. */
async function between(history: History, post: Post, random: Random): Promise<void> {
  if (random() < 0.7) await hear(history, post, random, 0.3 + random() * 0.7);
  if (random() < 0.2) await sweepAmidst(history);
}

/** Some of the events that Stripe has sent, in another order, one by one or several at once, and some once more. */
async function hear(history: History, post: Post, random: Random, part: number): Promise<number> {
  const mayDie = part < 1;
  const { stage } = history;
  const from = post.taken - 1;
  const fresh = [...stage.core.world.events.walk({ above: from })] as unknown as Stripe.Event[];
  post.taken += fresh.length;
  const sent = [...post.waiting, ...fresh];
  const coming = sent.filter(() => random() < part);
  const again = post.heard.filter(() => random() < 0.05);
  post.waiting = sent.filter((event) => !coming.includes(event));
  post.heard.push(...coming);
  history.deliveries.first += coming.length;
  history.deliveries.again += again.length;
  history.deliveries.late += post.waiting.length;
  const order = shuffle([...coming, ...again], random);
  while (order.length > 0) {
    const together = order.splice(0, random() < 0.8 ? 1 : 2 + below(random, 2));
    if (together.length > 1) history.deliveries.together += 1;
    if (mayDie && random() < 0.02) stage.dieAfter(below(random, 40));
    await Promise.allSettled(together.map((event) => receiveEvent(stage.ctx, event)));
    // Stripe got no answer, and sends them again.
    if (!stage.revive()) continue;
    history.deaths += 1;
    post.waiting.push(...together);
  }
  return coming.length;
}

/** A sweep that meets trouble says so, and the next one makes up for it. */
async function sweepAmidst({ stage, log }: History): Promise<void> {
  try {
    await sweepOnce(stage.ctx, stage.now());
  } catch (error) {
    if (!(error instanceof SweepFailed)) throw error;
    log.push(error.message);
  }
}

/** How long everything is given to come to rest, with the sweep as it would run. */
const rests = [minutes(6), hours(2), days(1), days(3), days(15), days(2), hours(3)];
const lastRounds = 12;

async function settle(history: History, post: Post, random: Random): Promise<void> {
  const { stage } = history;
  const round = async (ms: number) => {
    stage.advance(ms);
    const came = await hear(history, post, random, 1);
    await sweepOnce(stage.ctx, stage.now());
    return came;
  };
  stage.core.world.faults = [];
  for (const ms of rests) await round(ms);
  let quiet = 0;
  for (let left = lastRounds; left > 0 && quiet < 3; left--) quiet = (await round(minutes(6))) === 0 ? quiet + 1 : 0;
}

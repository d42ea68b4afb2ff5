import type Stripe from 'stripe';
import { days, hours, minutes } from '../../platform/clock.ts';
import { Refusal } from '../../platform/errors.ts';
import { SweepFailed, sweepOnce } from '../../reconciliation/sweep.service.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { below, pick, seededRandom, shuffle, type Random } from '../random.ts';
import { players } from './players.ts';
import { openStage, type Stage } from './stage.ts';

/** One random history, all of it following from its seed. */
export interface History {
  stage: Stage;
  /** What was done, in order, and what it came to. */
  log: string[];
  deliveries: { first: number; again: number; late: number; together: number };
}

interface Post {
  waiting: Stripe.Event[];
  heard: Stripe.Event[];
  /** How many of Stripe's events were collected. */
  taken: number;
}

const fewest = 6;
const most = 22;

export async function playHistory(seed: number): Promise<History> {
  const random = seededRandom(seed);
  const stage = await openStage(random);
  const history: History = { stage, log: [], deliveries: { first: 0, again: 0, late: 0, together: 0 } };
  const post: Post = { waiting: [], heard: [], taken: 0 };
  const lots = Object.entries(players).flatMap(([what, { weight }]) => Array.from({ length: weight }, () => what));
  const steps = fewest + below(random, most - fewest + 1);
  for (let at = 1; at <= steps; at++) {
    // Something is bought before anything else can be done about it.
    const what = at === 1 ? 'buy' : at === 2 ? pick(random, ['buy', 'order', 'subscribe']) : pick(random, lots);
    await doStep(history, random, what, `step-${seed}-${at}`);
    await between(history, post, random);
  }
  await settle(history, post, random);
  return history;
}

async function doStep({ stage, log }: History, random: Random, what: string, name: string): Promise<void> {
  try {
    await players[what]?.play(stage, random, name);
    log.push(what);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    log.push(`${what}: ${error instanceof Refusal ? error.reason : error.message}`);
  }
}

/** A no from us or from Stripe is an answer; anything else is a fault of ours. */
const isRefusal = (error: unknown): error is Error =>
  error instanceof Refusal || (error instanceof Error && error.constructor.name.startsWith('Stripe'));

/** Time passes, some of the post comes, the sweep may run: in any mix. */
async function between(history: History, post: Post, random: Random): Promise<void> {
  const { stage } = history;
  const lot = random();
  if (lot < 0.5) stage.advance(1_000 * below(random, 120));
  else if (lot < 0.75) stage.advance(minutes(1 + below(random, 600)));
  else if (lot < 0.9) stage.advance(days(1 + below(random, 8)));
  else stage.advance(days(20 + below(random, 15)));
  if (random() < 0.7) await hear(history, post, random, 0.3 + random() * 0.7);
  if (random() < 0.2) await sweepAmidst(history);
}

/** Some of the events that Stripe has sent, in another order, one by one or several at once, and some once more. */
async function hear(history: History, post: Post, random: Random, part: number): Promise<number> {
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
    await Promise.all(together.map((event) => receiveEvent(stage.ctx, event)));
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

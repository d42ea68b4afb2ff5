import type Stripe from 'stripe';
import type { Log } from '../platform/log.ts';

const fields = (event: Stripe.Event) => ({ eventId: event.id, type: event.type, account: event.account ?? null });

export const eventApplied = (log: Log, event: Stripe.Event, attempts: number) =>
  log.info('webhook.applied', { ...fields(event), attempts });
export const eventRepeated = (log: Log, event: Stripe.Event) => log.info('webhook.repeated', fields(event));
export const eventParked = (log: Log, event: Stripe.Event, waitingFor: string) =>
  log.info('webhook.parked', { ...fields(event), waitingFor });
export const eventFailed = (log: Log, event: Stripe.Event, error: string) =>
  log.error('webhook.failed', { ...fields(event), error });
export const followUpFailed = (log: Log, event: Stripe.Event, error: string) =>
  log.warn('webhook.follow-up-failed', { ...fields(event), error });
export const eventUnlisted = (log: Log, event: Stripe.Event) => log.warn('webhook.unlisted', fields(event));
export const eventOfOtherVersion = (log: Log, event: Stripe.Event, told: string, ours: string) =>
  log.warn('webhook.other-version', { ...fields(event), told, ours });
export const eventOfOtherMode = (log: Log, event: { id: string; type: string; livemode: boolean }) =>
  log.warn('webhook.other-mode', { eventId: event.id, type: event.type, livemode: event.livemode });
export const signatureRefused = (log: Log) => log.warn('webhook.signature-refused');
export const notificationFailed = (log: Log, id: string, type: string, error: string) =>
  log.error('webhook.notification-failed', { eventId: id, type, error });

import { z } from 'zod';
import { callable, wordsSchema, type CallableSpec } from '../platform/entrance.ts';
import { releaseParked } from '../webhooks/webhooks.service.ts';
import { createAccountSession, createLoginLink, type AccountSessionReply } from './access.service.ts';
import {
  startOnboarding,
  type CoachProfile,
  type OnboardingInput,
  type OnboardingReply,
} from './onboarding.service.ts';
import { coachStatus, type CoachStatusReply } from './status.service.ts';

const address = z
  .string()
  .max(2000)
  .regex(/^[\x21-\x7e]+$/, 'must be an address in plain letters');

/** What a coach may tell before they see Stripe's form. */
const profile = {
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a country in two capital letters')
    .optional(),
  businessProfile: z
    .strictObject({
      name: wordsSchema(200).optional(),
      url: address.optional(),
      description: wordsSchema(1000).optional(),
    })
    .optional(),
};

export const startCoachOnboardingSpec: CallableSpec<OnboardingInput, OnboardingReply> = {
  name: 'startCoachOnboarding',
  right: 'coach',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({ returnUrl: address, refreshUrl: address, ...profile }),
  async handle(ctx, caller, input) {
    const { reply, created } = await startOnboarding(ctx, caller, input);
    for (const path of created) await releaseParked(ctx, path);
    return reply;
  },
};

/** Onboarding inside our own page: Stripe's embedded components. */
export const createCoachAccountSessionSpec: CallableSpec<CoachProfile, AccountSessionReply> = {
  name: 'createCoachAccountSession',
  right: 'coach',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject(profile),
  async handle(ctx, caller, input) {
    const { reply, created } = await createAccountSession(ctx, caller, input);
    for (const path of created) await releaseParked(ctx, path);
    return reply;
  },
};

export const createCoachLoginLinkSpec: CallableSpec<Record<string, never>, { url: string }> = {
  name: 'createCoachLoginLink',
  right: 'coach',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({}),
  handle: (ctx, caller) => createLoginLink(ctx, caller.uid),
};

export const getCoachStatusSpec: CallableSpec<Record<string, never>, CoachStatusReply> = {
  name: 'getCoachStatus',
  right: 'coach',
  input: z.strictObject({}),
  handle: (ctx, caller) => coachStatus(ctx, caller.uid),
};

export const startCoachOnboarding = callable(startCoachOnboardingSpec);
export const createCoachAccountSession = callable(createCoachAccountSessionSpec);
export const createCoachLoginLink = callable(createCoachLoginLinkSpec);
export const getCoachStatus = callable(getCoachStatusSpec);

import { z } from 'zod';
import { callable, type CallableSpec } from '../platform/entrance.ts';
import { releaseParked } from '../webhooks/webhooks.service.ts';
import {
  coachStatus,
  startOnboarding,
  type CoachStatusReply,
  type OnboardingInput,
  type OnboardingReply,
} from './onboarding.service.ts';

const address = z
  .string()
  .max(2000)
  .regex(/^[\x21-\x7e]+$/, 'must be an address in plain letters');

export const startCoachOnboardingSpec: CallableSpec<OnboardingInput, OnboardingReply> = {
  name: 'startCoachOnboarding',
  right: 'coach',
  input: z.strictObject({ returnUrl: address, refreshUrl: address }),
  async handle(ctx, caller, input) {
    const { reply, created } = await startOnboarding(ctx, caller, input);
    for (const path of created) await releaseParked(ctx, path);
    return reply;
  },
};

export const getCoachStatusSpec: CallableSpec<Record<string, never>, CoachStatusReply> = {
  name: 'getCoachStatus',
  right: 'coach',
  input: z.strictObject({}),
  handle: (ctx, caller) => coachStatus(ctx, caller.uid),
};

export const startCoachOnboarding = callable(startCoachOnboardingSpec);
export const getCoachStatus = callable(getCoachStatusSpec);

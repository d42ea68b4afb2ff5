import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema, wordsSchema } from '../../platform/entrance.ts';
import { erasePerson as erase, type EraseInput, type EraseReply } from './erase.service.ts';

export const erasePerson = callable<EraseInput, EraseReply>({
  name: 'erasePerson',
  right: 'admin',
  limit: { perMinute: 10, perDay: 200 },
  input: z.strictObject({ uid: documentIdSchema, note: wordsSchema(500), requestId: requestIdSchema }),
  handle: erase,
});

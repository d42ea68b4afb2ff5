import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema, wordsSchema } from '../../platform/entrance.ts';
import { erasePerson as erase, type EraseInput, type EraseReply } from './erase.service.ts';
import { exportPerson as show, type ExportInput, type ExportReply } from './export.service.ts';

export const erasePerson = callable<EraseInput, EraseReply>({
  name: 'erasePerson',
  right: 'admin',
  limit: { perMinute: 10, perDay: 200 },
  input: z.strictObject({ uid: documentIdSchema, note: wordsSchema(500), requestId: requestIdSchema }),
  handle: erase,
});

export const exportPerson = callable<ExportInput, ExportReply>({
  name: 'exportPerson',
  right: 'anyone signed in',
  limit: { perMinute: 60, perDay: 2_000 },
  input: z.strictObject({
    uid: documentIdSchema.optional(),
    cursor: z
      .string()
      .regex(/^eyJ[A-Za-z0-9_-]{1,4096}$/, 'must be the nextCursor of a page')
      .optional(),
  }),
  handle: show,
});

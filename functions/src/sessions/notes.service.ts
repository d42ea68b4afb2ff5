import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { Caller } from '../platform/auth.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { requireCoach } from './life.ts';
import * as notes from './notes.store.ts';
import * as store from './sessions.store.ts';

/** A session's notes, at most; each is read back by its coach with the session. */
const mostNotes = 50;

export interface NoteInput {
  sessionId: string;
  text: string;
  requestId: string;
}

export interface NoteReply {
  sessionId: string;
  noteId: string;
}

/** A coach's private note on a session of theirs, before it or after. Throws Refusal. */
export function addSessionNote(ctx: Context, caller: Caller, input: NoteInput): Promise<NoteReply> {
  const { requestId, ...command } = input;
  return runCommand<NoteReply, NoteReply>(ctx, {
    command: 'addSessionNote',
    uid: caller.uid,
    requestId,
    input: command,
    plan: (tx) => addNote(ctx, tx, caller, command),
  });
}

async function addNote(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  { sessionId, text }: Omit<NoteInput, 'requestId'>,
): Promise<NoteReply> {
  // Private: an administrator who is not the coach writes none, as they read none.
  requireCoach(sessionId, await store.readSession(ctx.db, sessionId, tx), { uid: caller.uid, admin: false });
  if ((await notes.countNotes(ctx.db, tx, sessionId, mostNotes)) >= mostNotes)
    throw new Refusal('resource-exhausted', 'too-many-notes', `A session has at most ${mostNotes} notes.`, {
      sessionId,
    });
  const noteId = notes.newNoteId(ctx.db, sessionId);
  notes.createNote(ctx.db, tx, sessionId, noteId, { text, createdAt: Timestamp.fromDate(ctx.clock.now()) });
  return { sessionId, noteId };
}

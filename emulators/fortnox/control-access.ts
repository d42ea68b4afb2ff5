import { boolean, ControlError, list, parseFields, string } from './control-input.ts';
import type { Fields } from './control-input.ts';
import type { State, Switches } from './types.ts';

/** Who may do what: the control API's part for the app, its consent, the company's licences, switches and cost centres. */

function texts(fields: Fields, name: string): readonly string[] | undefined {
  if (fields[name] === undefined) return undefined;
  const values = list(fields, name);
  return values.map((value) => {
    if (typeof value === 'string' && value !== '') return value;
    throw new ControlError(`"${name}" must be a list of texts.`);
  });
}

function oneOf<T>(fields: Fields, name: string, allowed: readonly T[]): T | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new ControlError(`"${name}" must be one of: ${allowed.join(', ')}.`);
  return found;
}

function appChange(state: State, value: unknown): () => void {
  const fields = parseFields(value, ['scopes', 'redirectUris'], 'The app');
  const scopes = texts(fields, 'scopes');
  const redirectUris = texts(fields, 'redirectUris');
  return () => {
    state.client.scopes = scopes ?? state.client.scopes;
    state.client.redirectUris = redirectUris ?? state.client.redirectUris;
  };
}

function licenceChange(state: State, value: unknown): () => void {
  const fields = parseFields(value, ['api', 'missing'], 'The licences');
  const api = boolean(fields, 'api');
  const missing = texts(fields, 'missing');
  return () => {
    state.licences = { api: api ?? state.licences.api, missing: missing ?? state.licences.missing };
  };
}

function switchChange(state: State, value: unknown): () => void {
  const names: (keyof Switches)[] = ['replayKillsChain', 'scopeErrorStatus', 'fileConnectionId'];
  const fields = parseFields(value, names, 'The switches');
  const replayKillsChain = boolean(fields, 'replayKillsChain');
  const scopeErrorStatus = oneOf(fields, 'scopeErrorStatus', [400, 403] as const);
  const fileConnectionId = oneOf(fields, 'fileConnectionId', ['Id', 'ArchiveFileId'] as const);
  return () => {
    const { switches } = state;
    switches.replayKillsChain = replayKillsChain ?? switches.replayKillsChain;
    switches.scopeErrorStatus = scopeErrorStatus ?? switches.scopeErrorStatus;
    switches.fileConnectionId = fileConnectionId ?? switches.fileConnectionId;
  };
}

function costCenterChange(state: State, value: unknown): () => void {
  const fields = parseFields(value, ['code', 'description'], 'A cost centre');
  const code = string(fields, 'code');
  if (code === undefined || code.length > 10)
    throw new ControlError('A cost centre needs "code", up to 10 characters.');
  const description = string(fields, 'description') ?? `Kostnadsställe ${code}`;
  return () => {
    state.costCenters[code] = description;
  };
}

function consentChange(state: State, fields: Fields): () => void {
  const scopes = fields.serviceConsent === null ? null : texts(fields, 'serviceConsent');
  return () => {
    if (scopes !== undefined) state.serviceConsent = scopes === null ? null : { scopes };
  };
}

export const ACCESS_FIELDS = ['app', 'serviceConsent', 'licences', 'switches', 'costCenters'];

/** What a control call changes of these, checked and not yet done. */
export function accessChanges(state: State, fields: Fields): (() => void)[] {
  return [
    ...(fields.app === undefined ? [] : [appChange(state, fields.app)]),
    ...(fields.licences === undefined ? [] : [licenceChange(state, fields.licences)]),
    ...(fields.switches === undefined ? [] : [switchChange(state, fields.switches)]),
    ...list(fields, 'costCenters').map((one) => costCenterChange(state, one)),
    consentChange(state, fields),
  ];
}

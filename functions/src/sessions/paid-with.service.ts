export { sessionsPaidWith } from './paid-with.store.ts';

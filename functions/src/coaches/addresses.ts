export { requireAllowedAddress } from '../platform/addresses.ts';

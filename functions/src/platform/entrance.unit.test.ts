import { z } from 'zod';
import { callable, type CallableSpec } from './entrance.ts';

const spec: CallableSpec<object, string> = {
  name: 'sayHello',
  right: 'admin',
  input: z.strictObject({}),
  handle: async () => 'hello',
};

const endpointOf = (made: object) => (made as { __endpoint: { timeoutSeconds: number } }).__endpoint;

it('a callable has a minute, and longer only where it says so', () => {
  expect(endpointOf(callable(spec)).timeoutSeconds).toBe(60);
  expect(endpointOf(callable({ ...spec, timeoutSeconds: 300 })).timeoutSeconds).toBe(300);
});

import { withoutClientSecrets } from './redact.ts';

it('leaves client secrets out, however deep, and everything else as it was', () => {
  const intent = { id: 'pi_1', amount: 49_900, description: null, metadata: { client: 'secret' } };
  const event = {
    id: 'evt_1',
    data: { object: { ...intent, client_secret: 'pi_1_secret_x' }, previous_attributes: { client_secret: null } },
    list: [{ payment_intent: { ...intent, client_secret: 'pi_1_secret_x' } }, 'text', 7, true, null],
  };
  expect(withoutClientSecrets(event)).toEqual({
    id: 'evt_1',
    data: { object: intent, previous_attributes: {} },
    list: [{ payment_intent: intent }, 'text', 7, true, null],
  });
  expect(event.data.object.client_secret).toBe('pi_1_secret_x');
});

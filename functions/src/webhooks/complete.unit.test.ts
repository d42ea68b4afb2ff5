import { dispatchTable } from './dispatch.ts';
import { ignoredTypes } from './ignored.ts';

/** `object.{a,b}` as Stripe's own guidance and this product's issue list them. */
const wanted = `
  payment_intent.{created,succeeded,payment_failed,processing,requires_action,canceled,amount_capturable_updated}
  charge.{succeeded,failed,updated,refunded}
  refund.{created,updated,failed}
  charge.dispute.{created,updated,closed,funds_withdrawn,funds_reinstated}
  radar.early_fraud_warning.{created,updated}
  review.{opened,closed}
  customer.{created}
  customer.subscription.{created,updated,deleted,paused,resumed,trial_will_end}
  invoice.{created,finalized,finalization_failed,paid,payment_succeeded,payment_failed,payment_action_required,upcoming}
  invoice.{voided,marked_uncollectible}
  invoice_payment.{paid}
  payout.{created,updated,paid,failed,canceled,reconciliation_completed}
  transfer.{created,updated,reversed}
  application_fee.{created,refunded}
  application_fee.refund.{updated}
  account.{updated}
  account.external_account.{created,updated,deleted}
  account.application.{authorized,deauthorized}
  capability.{updated}
  person.{updated}
  balance.{available}
  balance_settings.{updated}
  checkout.session.{completed,expired,async_payment_succeeded,async_payment_failed}
  setup_intent.{succeeded,setup_failed,requires_action,canceled}
  payment_method.{attached,detached,updated,automatically_updated}
  reserve.hold.{created,updated}`
  .trim()
  .split(/\s+/)
  .flatMap((line) => {
    const [, object = '', names = ''] = /^(.+)\.\{(.+)\}$/.exec(line) ?? [];
    return names.split(',').map((name) => `${object}.${name}`);
  });

const handled = Object.keys(dispatchTable);
const ignored = Object.keys(ignoredTypes);

describe('every event type', () => {
  it('is either handled or ignored with a reason', () => {
    expect(wanted.filter((type) => !handled.includes(type) && !ignored.includes(type))).toEqual([]);
  });

  it('is not both', () => {
    expect(handled.filter((type) => ignored.includes(type))).toEqual([]);
  });

  it('is ignored for a reason that is a sentence, and only if it was asked for', () => {
    expect(ignored.filter((type) => !wanted.includes(type))).toEqual([]);
    expect(Object.values(ignoredTypes).filter((reason) => !/^.{20,}\.$/.test(reason))).toEqual([]);
  });
});

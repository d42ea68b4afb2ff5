/**
 * Browser code, kept as text since it is never run here: `window.Stripe`, which calls the emulator with the publishable
 * key and the client secret. Plain JavaScript; it may not contain a backtick or a dollar sign before a brace.
 */
export const STRIPE_SOURCE = String.raw`
// What is inside the objects given out by elements().
const INSIDE = new WeakMap();

const KINDS = {
  pi: { key: 'payment_intent', path: '/v1/payment_intents/', result: 'paymentIntent', lastError: 'last_payment_error' },
  seti: { key: 'setup_intent', path: '/v1/setup_intents/', result: 'setupIntent', lastError: 'last_setup_error' },
};

function intentOf(secret, prefix) {
  const parts = /^((pi|seti)_[A-Za-z0-9]+)_secret_/.exec(typeof secret === 'string' ? secret : '');
  if (!parts || (prefix && parts[2] !== prefix))
    throw integrationError(
      'Invalid value for clientSecret: it should be a client secret of the form ' + (prefix || 'pi') + '_..._secret_...',
    );
  return { id: parts[1], secret, kind: KINDS[parts[2]] };
}

function encode(form, prefix, value) {
  if (value === undefined || value === null) return;
  if (typeof value !== 'object') return void form.append(prefix, String(value));
  for (const key of Object.keys(value)) encode(form, prefix ? prefix + '[' + key + ']' : key, value[key]);
}

// A page that is being left: Stripe.js never settles its promise then.
function leave(url) {
  location.assign(url);
  return new Promise(() => undefined);
}

function Stripe(key, options) {
  if (typeof key !== 'string' || key.startsWith('sk_'))
    throw integrationError('Give Stripe() the publishable key (pk_test_...); the secret key never belongs in a browser.');
  if (!key.startsWith('pk_test_')) throw integrationError('The Stripe emulator takes publishable keys of the form pk_test_... only.');
  allow('Stripe(key, options)', options, ['stripeAccount', 'apiVersion', 'locale']);
  const settings = options || {};

  // {body} or {error}, as Stripe.js tells them apart.
  async function call(method, path, params) {
    const form = new URLSearchParams();
    encode(form, '', params);
    const headers = { authorization: 'Bearer ' + key };
    if (settings.stripeAccount) headers['stripe-account'] = settings.stripeAccount;
    if (settings.apiVersion) headers['stripe-version'] = settings.apiVersion;
    try {
      const query = method === 'GET' ? '?' + form : '';
      const response = await fetch(API + path + query, method === 'GET' ? { headers } : { method, headers, body: form });
      const body = await response.json();
      return response.ok ? { body } : { error: body.error };
    } catch (cause) {
      return { error: { type: 'api_connection_error', message: 'The Stripe emulator at ' + API + ' could not be reached: ' + cause.message } };
    }
  }

  const outcome = (intent, answer) => (answer.error ? { error: answer.error } : { [intent.kind.result]: answer.body });
  const fetchIntent = (intent) => call('GET', intent.kind.path + intent.id, { client_secret: intent.secret });
  const retrieve = async (secret, prefix) => {
    const intent = intentOf(secret, prefix);
    return outcome(intent, await fetchIntent(intent));
  };

  // The bank's page over this one, until its holder has answered; then what became of the intent.
  async function inDialog(intent, url) {
    const dialog = tag('dialog', { 'aria-label': '3D Secure', style: 'border:0;padding:0;width:min(32rem,95vw)' }, [
      tag('iframe', { src: url, title: '3D Secure', style: 'border:0;width:100%;height:24rem;display:block' }),
    ]);
    // Escape would leave the payment waiting: the page has a button for those who will not authenticate.
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    try {
      for (;;) {
        await new Promise((done) => setTimeout(done, 250));
        const answer = await fetchIntent(intent);
        if (answer.error || answer.body.status !== 'requires_action') return settled(intent, answer);
      }
    } finally {
      dialog.remove();
    }
  }

  // After authentication a refusal is found in the intent, since nobody waited for an answer.
  function settled(intent, answer) {
    const last = answer.body && answer.body.status === 'requires_payment_method' && answer.body[intent.kind.lastError];
    return last ? { error: Object.assign({}, last, { [intent.kind.key]: answer.body }) } : outcome(intent, answer);
  }

  function act(intent, answer) {
    const next = !answer.error && answer.body.status === 'requires_action' && answer.body.next_action;
    if (!next) return outcome(intent, answer);
    if (next.type === 'redirect_to_url') return leave(next.redirect_to_url.url);
    if (next.type === 'use_stripe_sdk') return inDialog(intent, next.use_stripe_sdk.stripe_js);
    throw new Error(NO_SUCH + "the next action '" + next.type + "'");
  }

  function makeElements(given) {
    const chosen = Object.assign({}, given);
    const LATER = ['amount', 'currency', 'setupFutureUsage', 'captureMethod'];
    const LOOK = ['appearance', 'locale', 'fonts', 'loader'];
    allow('elements(options)', given, ['clientSecret', 'mode', ...LATER, ...LOOK]);
    if (!chosen.clientSecret === !chosen.mode)
      throw integrationError('elements() needs a clientSecret, or a mode for an intent that is made later: one of them.');
    if (chosen.clientSecret) intentOf(chosen.clientSecret);
    else if (!['payment', 'setup'].includes(chosen.mode)) throw new Error(NO_SUCH + "mode '" + chosen.mode + "' in elements(options)");
    const inside = { chosen, payment: null, submitted: false, LATER };
    const load = async () => (chosen.clientSecret ? (await fetchIntent(intentOf(chosen.clientSecret))).error : undefined);
    const elements = strict('elements', {
      create(type, elementOptions) {
        if (type !== 'payment') throw new Error(NO_SUCH + "the element '" + type + "'; it has 'payment'");
        if (inside.payment) throw integrationError('Can only create one Element of type payment.');
        inside.payment = paymentElement(elementOptions, load, () => {
          inside.payment = null;
        });
        return inside.payment.element;
      },
      getElement(type) {
        if (type !== 'payment') throw new Error(NO_SUCH + "the element '" + type + "'; it has 'payment'");
        return inside.payment && inside.payment.element;
      },
      async submit() {
        const error = mountedForm(elements).check();
        inside.submitted = !error;
        return error ? { error } : { selectedPaymentMethod: 'card' };
      },
      update(changes) {
        allow('elements.update(options)', changes, chosen.mode ? [...LATER, ...LOOK] : LOOK);
        Object.assign(chosen, changes);
      },
    });
    INSIDE.set(elements, inside);
    return elements;
  }

  function mountedForm(elements) {
    const inside = INSIDE.get(elements);
    if (!inside) throw integrationError('elements must be what stripe.elements() gave.');
    if (!inside.payment || !inside.payment.mounted())
      throw integrationError('elements should have a mounted Payment Element.');
    return inside.payment.form;
  }

  async function methodFrom(elements, billing) {
    const form = mountedForm(elements);
    const error = form.check();
    if (error) return { error };
    return call('POST', '/v1/payment_methods', { type: 'card', card: form.card(), billing_details: billing });
  }

  // An intent made later must be the one the element was shown for.
  async function agrees(intent, chosen) {
    const answer = await fetchIntent(intent);
    if (answer.error) return answer.error;
    const made = answer.body;
    const pairs = { amount: 'amount', currency: 'currency', setupFutureUsage: 'setup_future_usage', captureMethod: 'capture_method' };
    for (const name of Object.keys(pairs))
      if (chosen[name] !== undefined && pairs[name] in made && chosen[name] !== made[pairs[name]])
        throw integrationError(name + ' of elements() is ' + chosen[name] + ', but the intent has ' + made[pairs[name]] + '.');
    return undefined;
  }

  async function confirm(prefix, name, given) {
    allow(name, given, ['elements', 'clientSecret', 'confirmParams', 'redirect']);
    const params = given.confirmParams || {};
    const more = prefix === 'pi' ? ['receipt_email', 'setup_future_usage'] : [];
    allow(name + "'s confirmParams", params, ['return_url', 'payment_method', 'payment_method_data', ...more]);
    allow("payment_method_data", params.payment_method_data, ['billing_details']);
    const redirect = given.redirect || 'always';
    if (!['always', 'if_required'].includes(redirect)) throw integrationError("redirect is 'always' or 'if_required'.");
    if (redirect === 'always' && !params.return_url)
      throw integrationError('confirmParams.return_url is needed, unless redirect is if_required.');
    const inside = given.elements && INSIDE.get(given.elements);
    if (!given.elements === !params.payment_method)
      throw integrationError(name + ' needs elements, or the payment_method of a saved card in confirmParams: one of them.');
    if (inside && inside.chosen.mode && !inside.submitted)
      throw integrationError('elements.submit() must be called before ' + name + '() when elements() was given a mode.');
    const intent = intentOf(given.clientSecret || (inside && inside.chosen.clientSecret), prefix);
    let method = params.payment_method;
    if (given.elements) {
      const differs = inside && inside.chosen.mode ? await agrees(intent, inside.chosen) : undefined;
      if (differs) return { error: differs };
      const made = await methodFrom(given.elements, params.payment_method_data && params.payment_method_data.billing_details);
      if (made.error) return { error: made.error };
      method = made.body.id;
    }
    const sent = Object.assign({}, params, { client_secret: intent.secret, payment_method: method });
    delete sent.payment_method_data;
    const result = await act(intent, await call('POST', intent.kind.path + intent.id + '/confirm', sent));
    if (result.error || redirect === 'if_required') return result;
    const back = new URL(params.return_url, location.href);
    back.searchParams.set(intent.kind.key, intent.id);
    back.searchParams.set(intent.kind.key + '_client_secret', intent.secret);
    back.searchParams.set('redirect_status', 'succeeded');
    return leave(back.href);
  }

  return strict('stripe', {
    elements: makeElements,
    confirmPayment: (given) => confirm('pi', 'confirmPayment', given),
    confirmSetup: (given) => confirm('seti', 'confirmSetup', given),
    async confirmCardPayment(secret, data, how) {
      allow('confirmCardPayment', data, ['payment_method', 'return_url', 'receipt_email', 'setup_future_usage']);
      allow("confirmCardPayment's options", how, ['handleActions']);
      if (data && data.payment_method !== undefined && typeof data.payment_method !== 'string')
        throw new Error(NO_SUCH + "confirmCardPayment with a payment_method that is not an id");
      const intent = intentOf(secret, 'pi');
      const sent = Object.assign({}, data, { client_secret: secret });
      const answer = await call('POST', intent.kind.path + intent.id + '/confirm', sent);
      return how && how.handleActions === false ? outcome(intent, answer) : act(intent, answer);
    },
    async createPaymentMethod(given) {
      allow('createPaymentMethod', given, ['elements', 'params']);
      allow("createPaymentMethod's params", given.params, ['billing_details']);
      const made = await methodFrom(given.elements, given.params && given.params.billing_details);
      return made.error ? { error: made.error } : { paymentMethod: made.body };
    },
    async handleNextAction(given) {
      allow('handleNextAction', given, ['clientSecret']);
      const intent = intentOf(given.clientSecret);
      return act(intent, await fetchIntent(intent));
    },
    retrievePaymentIntent: (secret) => retrieve(secret, 'pi'),
    retrieveSetupIntent: (secret) => retrieve(secret, 'seti'),
    // React's bindings take only an object that has it for Stripe's.
    createToken() {
      throw new Error(NO_SUCH + 'stripe.createToken');
    },
    // What wraps Stripe.js says its name to Stripe; there is nobody here to be told.
    _registerWrapper: () => undefined,
    registerAppInfo: () => undefined,
  });
}

Stripe.version = 'endive';
window.Stripe = Stripe;
`;

/**
 * Browser code, kept as text since it is never run here: what is refused, and the payment element. Plain JavaScript;
 * it may not contain a backtick or a dollar sign before a brace.
 */
export const ELEMENTS_SOURCE = String.raw`
const NO_SUCH = "the Stripe emulator's stand-in for Stripe.js has no ";

// Names that the language, the console and frameworks ask any object for.
const ASKED_OF_ALL = ['then', 'toJSON', 'constructor', 'nodeType', 'tagName', 'asymmetricMatch', 'valueOf', 'toString'];

// What is not built throws as soon as it is touched, so that nothing merely looks done.
function strict(what, members) {
  return new Proxy(members, {
    get(target, name) {
      if (typeof name === 'symbol' || Object.hasOwn(target, name)) return target[name];
      if (ASKED_OF_ALL.includes(name) || name.startsWith('$$')) return Object.prototype[name];
      throw new Error(NO_SUCH + what + '.' + name);
    },
  });
}

function integrationError(message) {
  const error = new Error(message);
  error.name = 'IntegrationError';
  return error;
}

function allow(where, given, names) {
  for (const name of Object.keys(given || {}))
    if (given[name] !== undefined && !names.includes(name))
      throw new Error(NO_SUCH + "'" + name + "' in " + where + '; it has ' + names.join(', '));
}

const STYLE =
  'fieldset{font:16px/1.5 system-ui,sans-serif;border:1px solid #e3e8ee;border-radius:8px;margin:0;padding:1rem;min-width:0}' +
  'legend{font-size:.8rem;background:#fcedb9;color:#6b4a00;border-radius:4px;padding:0 .4rem}' +
  'label{display:block;font-weight:600;margin-bottom:.5rem}' +
  'input,select{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.5rem;border:1px solid #8792a2;border-radius:4px}' +
  'input[aria-invalid]{border-color:#b3093c}p{color:#b3093c;margin:0}';

function tag(name, attributes, children) {
  const made = document.createElement(name);
  for (const key of Object.keys(attributes)) made.setAttribute(key, attributes[key]);
  for (const child of children || []) made.append(child);
  return made;
}

function cardForm() {
  const field = (autocomplete, placeholder) =>
    tag('input', { type: 'text', inputmode: 'numeric', autocomplete: autocomplete, placeholder: placeholder });
  const number = field('cc-number', '4242 4242 4242 4242');
  const expiry = field('cc-exp', 'MM / YY');
  const cvc = field('cc-csc', 'CVC');
  const chosen = tag('select', {}, [
    tag('option', { value: '' }, ['Fill in a test card']),
    ...TEST_CARDS.map((card) => tag('option', { value: card.number }, [card.number + ' ' + card.name])),
  ]);
  const problem = tag('p', { role: 'alert' });
  const fieldset = tag('fieldset', {}, [
    tag('legend', {}, ['Stripe emulator']),
    tag('label', {}, ['Test card', chosen]),
    tag('label', {}, ['Card number', number]),
    tag('label', {}, ['Expiration date', expiry]),
    tag('label', {}, ['Security code', cvc]),
    problem,
  ]);
  chosen.addEventListener('change', () => {
    number.value = chosen.value;
    expiry.value = chosen.value && '12 / ' + String((new Date().getFullYear() + 5) % 100);
    cvc.value = chosen.value && '123';
  });

  const digits = () => number.value.replace(/[\s-]/g, '');
  const date = () => /^\s*(\d{1,2})\s*\/?\s*(?:20)?(\d\d)\s*$/.exec(expiry.value);
  // What is missing, as Stripe.js words it.
  function missing() {
    if (!/^\d{13,19}$/.test(digits())) return [number, 'incomplete_number', 'Your card number is incomplete.'];
    if (!date()) return [expiry, 'incomplete_expiry', "Your card's expiration date is incomplete."];
    if (!/^\d{3,4}$/.test(cvc.value.trim())) return [cvc, 'incomplete_cvc', "Your card's security code is incomplete."];
    return undefined;
  }
  function clear() {
    problem.textContent = '';
    for (const each of [number, expiry, cvc]) each.removeAttribute('aria-invalid');
  }
  return {
    node: fieldset,
    focus: () => number.focus(),
    clear,
    empty: () => !number.value && !expiry.value && !cvc.value,
    complete: () => missing() === undefined,
    // The error Stripe.js gives for a form that is not filled in, shown beside the field as well.
    check() {
      clear();
      const wrong = missing();
      if (!wrong) return undefined;
      wrong[0].setAttribute('aria-invalid', 'true');
      problem.textContent = wrong[2];
      return { type: 'validation_error', code: wrong[1], message: wrong[2] };
    },
    card: () => ({
      number: digits(),
      exp_month: Number(date()[1]),
      exp_year: 2000 + Number(date()[2]),
      cvc: cvc.value.trim(),
    }),
  };
}

const EVENTS = ['ready', 'change', 'focus', 'blur', 'loaderror'];
// How it looks and in what order: taken, since pages give it, and without effect here.
const LOOKS = ['layout', 'fields', 'terms', 'wallets', 'business', 'paymentMethodOrder', 'defaultValues'];

// load() gives an error of the elements' client secret, or nothing; release() forgets the element when it is destroyed.
function paymentElement(options, load, release) {
  allow("elements.create('payment', options)", options, LOOKS);
  const form = cardForm();
  const listeners = [];
  let host = null;
  let destroyed = false;
  function emit(event, more) {
    for (const each of listeners.slice()) {
      if (each.event !== event) continue;
      if (each.once) listeners.splice(listeners.indexOf(each), 1);
      each.handler(Object.assign({ elementType: 'payment' }, more));
    }
  }
  function listen(event, handler, once) {
    if (!EVENTS.includes(event)) throw new Error(NO_SUCH + "the payment element's event '" + event + "'");
    listeners.push({ event, handler, once });
    return element;
  }
  function changed() {
    form.clear();
    emit('change', { empty: form.empty(), complete: form.complete(), collapsed: false, value: { type: 'card' } });
  }
  form.node.addEventListener('input', changed);
  form.node.addEventListener('focusin', (event) => form.node.contains(event.relatedTarget) || emit('focus'));
  form.node.addEventListener('focusout', (event) => form.node.contains(event.relatedTarget) || emit('blur'));

  function unmount() {
    if (host) host.remove();
    host = null;
  }
  const element = strict('the payment element', {
    mount(where) {
      if (destroyed) throw integrationError('This Element has already been destroyed. Please create a new one.');
      const place = typeof where === 'string' ? document.querySelector(where) : where;
      if (!place) throw integrationError("The selector you specified (" + where + ") applies to no DOM elements.");
      unmount();
      host = document.createElement('div');
      const mounted = host;
      // A shadow root, so that the page's styles do not reach in, as they do not at Stripe.
      host.attachShadow({ mode: 'open' }).append(tag('style', {}, [STYLE]), form.node);
      place.replaceChildren(host);
      load().then((error) => {
        if (host !== mounted) return;
        if (error) emit('loaderror', { error });
        else emit('ready');
      });
    },
    unmount,
    destroy() {
      unmount();
      destroyed = true;
      release();
    },
    update: (changes) => allow('the payment element\'s update', changes, LOOKS),
    on: (event, handler) => listen(event, handler, false),
    once: (event, handler) => listen(event, handler, true),
    off(event, handler) {
      for (const each of listeners.slice())
        if (each.event === event && (!handler || each.handler === handler)) listeners.splice(listeners.indexOf(each), 1);
      return element;
    },
    focus: form.focus,
  });
  return { element, form, mounted: () => host !== null };
}
`;

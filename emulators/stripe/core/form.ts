/** What a form body or a query decodes to: texts and nested maps; arrays are maps with the keys 0, 1, 2... */
export interface Tree {
  [key: string]: string | Tree;
}

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

/** Decodes `a[b][0][c]=x` and `a[]=x`. A later value of the same name wins, as at Stripe. */
export function decodeForm(text: string): Tree {
  const root: Tree = Object.create(null) as Tree;
  if (text === '') return root;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const cut = pair.indexOf('=');
    const name = decode(cut < 0 ? pair : pair.slice(0, cut));
    const value = cut < 0 ? '' : decode(pair.slice(cut + 1));
    put(root, pathOf(name), value);
  }
  return root;
}

function pathOf(name: string): string[] {
  const open = name.indexOf('[');
  if (open <= 0) return [name];
  const path = [name.slice(0, open)];
  for (const match of name.slice(open).matchAll(/\[([^\]]*)\]/g)) path.push(match[1] ?? '');
  return path;
}

function put(root: Tree, path: string[], value: string): void {
  let node = root;
  path.forEach((raw, i) => {
    const key = raw === '' && i > 0 ? String(Object.keys(node).length) : raw;
    if (i === path.length - 1) {
      node[key] = value;
      return;
    }
    const child = node[key];
    if (typeof child === 'object') {
      node = child;
    } else {
      const made = Object.create(null) as Tree;
      node[key] = made;
      node = made;
    }
  });
}

/** What every hosted page is made of. Plain HTML, no script. */
export interface Page {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
}

/** A whole page; `title` and `content` are HTML already. */
export const html = (status: number, title: string, content: string): Page => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1a1f36; background: #f6f8fa; margin: 0; padding: 2rem 1rem; }
  main { max-width: 28rem; margin: 0 auto; background: #fff; border: 1px solid #e3e8ee; border-radius: 8px; padding: 1.5rem; }
  h1 { font-size: 1.25rem; margin: 0 0 .25rem; } p { margin: .25rem 0 1rem; color: #4f566b; }
  label { display: block; font-weight: 600; margin-top: .75rem; }
  input, select { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; border: 1px solid #8792a2; border-radius: 4px; }
  input[aria-invalid] { border-color: #b3093c; } .problem { color: #b3093c; margin: 0; }
  button { margin-top: 1.25rem; width: 100%; font: inherit; font-weight: 600; padding: .6rem; border: 0; border-radius: 4px; background: #533afd; color: #fff; cursor: pointer; }
  .mode { display: inline-block; font-size: .8rem; background: #fcedb9; color: #6b4a00; border-radius: 4px; padding: 0 .4rem; }
  dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; } dt { color: #4f566b; } dd { margin: 0; text-align: right; }
</style>
</head>
<body><main>${content}</main></body>
</html>`,
});

export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export const redirect = (to: string): Page => ({
  status: 303,
  headers: { location: to, 'cache-control': 'no-store' },
  body: '',
});

/** 99.00 SEK of 9900. */
export const sek = (amount: number): string => `${(amount / 100).toFixed(2)} SEK`;

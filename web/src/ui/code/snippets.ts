// The same call in each language. Pure; secrets never stand in it, only the name of the variable that holds the key.
import type { CallDescription, CodeTab } from "./props";

/** A word for a POSIX shell. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

interface Call {
  url: string;
  headers: [string, string][];
  key: string | null;
}

function callOf(call: CallDescription, server: string): Call {
  const key = call.url ? null : call.keyVariable === undefined ? "GRAPNEL_API_KEY" : call.keyVariable;
  const headers = Object.entries(call.headers ?? {});
  if (call.body !== undefined && !headers.some(([name]) => name.toLowerCase() === "content-type"))
    headers.push(["Content-Type", "application/json"]);
  return { url: call.url ?? `${server}/${call.path}`, headers, key };
}

export function curl(call: CallDescription, server: string): string {
  const { url, headers, key } = callOf(call, server);
  const parts = [`curl${call.method === "GET" ? "" : ` -X ${call.method}`} ${shellWord(url)}`];
  if (key) parts.push(`-H "Authorization: Bearer $${key}"`);
  for (const [name, value] of headers) parts.push(`-H ${shellWord(`${name}: ${value}`)}`);
  if (call.body !== undefined) parts.push(`--data-binary ${shellWord(call.body)}`);
  return parts.join(" \\\n  ");
}

export const cli = (words: readonly string[], server: string): string =>
  ["grapnel", ...words, "--server", server].map(shellWord).join(" ");

export function javascript(call: CallDescription, server: string): string {
  const { url, headers, key } = callOf(call, server);
  const lines = [
    ...(key ? [`    Authorization: \`Bearer \${process.env.${key}}\`,`] : []),
    ...headers.map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)},`),
  ];
  const head = lines.length > 0 ? `\n  headers: {\n${lines.join("\n")}\n  },` : "";
  const body = call.body === undefined ? "" : `\n  body: ${JSON.stringify(call.body)},`;
  return `const response = await fetch(${JSON.stringify(url)}, {\n  method: "${call.method}",${head}${body}\n});\nconsole.log(response.status, await response.text());`;
}

export function python(call: CallDescription, server: string): string {
  const { url, headers, key } = callOf(call, server);
  const lines = [
    ...(key ? [`        "Authorization": "Bearer " + os.environ["${key}"],`] : []),
    ...headers.map(([name, value]) => `        ${JSON.stringify(name)}: ${JSON.stringify(value)},`),
  ];
  const body = call.body === undefined ? "" : `\n    data=${JSON.stringify(call.body)}.encode(),`;
  return `import os\nimport urllib.request\n\nrequest = urllib.request.Request(\n    ${JSON.stringify(url)},\n    method="${call.method}",\n    headers={\n${lines.join("\n")}\n    },${body}\n)\nwith urllib.request.urlopen(request) as response:\n    print(response.status, response.read().decode())`;
}

/** All of them; the CLI only where it has the words. */
export function snippets(call: CallDescription, server: string): CodeTab[] {
  return [
    { id: "curl", label: "curl", text: curl(call, server) },
    ...(call.cli ? [{ id: "cli", label: "CLI", text: cli(call.cli, server) }] : []),
    { id: "javascript", label: "JavaScript", text: javascript(call, server) },
    { id: "python", label: "Python", text: python(call, server) },
  ];
}

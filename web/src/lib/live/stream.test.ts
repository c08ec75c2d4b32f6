import { expect, test } from "vitest";
import { parser } from "./stream";

function read(pieces: string[]) {
  const events: [string, string][] = [];
  const parse = parser((id, data) => events.push([id, data]));
  for (const piece of pieces) parse(piece);
  return events;
}

test("events are the same wherever the stream is cut", () => {
  const stream = 'retry: 2000\n\n: beat\n\nid: 7\ndata: {"a":1}\n\nid: 8\r\ndata:two\r\ndata: lines\r\n\r\n';
  const want = [
    ["7", '{"a":1}'],
    ["8", "two\nlines"],
  ];
  for (let at = 0; at <= stream.length; at++) expect(read([stream.slice(0, at), stream.slice(at)])).toEqual(want);
});

test("what has not ended is no event yet", () => {
  expect(read(["data: a\n"])).toEqual([]);
});

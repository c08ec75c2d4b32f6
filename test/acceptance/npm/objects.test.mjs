// Applications, endpoints, event types, tokens and errors.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, client, receiver, refuses, unique, verify } from './rig.mjs';

const sorted = (list) => [...list].sort();

test('an application lives its whole life', async () => {
  const svix = client();
  const uid = unique('customer');
  const made = await svix.application.create({ name: 'Customer', uid, throttleRate: 50, metadata: { plan: 'gold' } });
  assert.match(made.id, /^app_[0-9A-Za-z]{27}$/);
  assert.deepEqual([made.name, made.uid, made.throttleRate, made.metadata], ['Customer', uid, 50, { plan: 'gold' }]);
  assert.ok(made.createdAt instanceof Date && !Number.isNaN(made.createdAt.valueOf()));
  assert.deepEqual(await svix.application.get(uid), made);
  assert.deepEqual(await svix.application.getOrCreate({ name: 'Other', uid }), made);
  const patched = await svix.application.patch(made.id, { name: 'Renamed', throttleRate: null });
  assert.deepEqual([patched.name, patched.throttleRate, patched.uid], ['Renamed', null, uid]);
  const replaced = await svix.application.upsert(uid, { name: 'Replaced', uid });
  assert.deepEqual([replaced.id, replaced.metadata], [made.id, {}]);
  assert.equal(await svix.application.delete(uid), undefined);
  await refuses(svix.application.get(made.id), 404, 'not_found');
});

test('lists come in pages', async () => {
  const svix = client();
  const mine = [];
  for (let i = 0; i < 5; i++) mine.push((await svix.application.create({ name: 'page' })).id);
  const apps = await all((iterator) => svix.application.list({ limit: 2, iterator, order: 'ascending' }));
  assert.deepEqual(sorted(apps.map((a) => a.id).filter((id) => mine.includes(id))), sorted(mine));
  const endpoints = [];
  for (let i = 0; i < 3; i++) endpoints.push((await svix.endpoint.create(mine[0], { url: receiver.hook().url })).id);
  const listed = await all((iterator) => svix.endpoint.list(mine[0], { limit: 2, iterator }));
  assert.deepEqual(listed.map((e) => e.id), sorted(endpoints).reverse());
  const empty = await svix.endpoint.list(mine[1]);
  assert.deepEqual([empty.data, empty.iterator, empty.done], [[], null, true]);
});

test('an endpoint lives its whole life', async () => {
  const svix = client();
  const { id: app } = await svix.application.create({ name: 'endpoints' });
  const { name: type } = await svix.eventType.create({ name: unique('type'), description: '' });
  const { url } = receiver.hook();
  const made = await svix.endpoint.create(app, {
    url, uid: 'main', description: 'first', eventTypes: [type], channels: ['one'], throttleRate: 9, metadata: { a: 'b' },
  });
  assert.deepEqual(
    [made.url, made.uid, made.description, made.eventTypes, made.channels, made.throttleRate, made.metadata, made.disabled],
    [url, 'main', 'first', [type], ['one'], 9, { a: 'b' }, false],
  );
  assert.deepEqual(await svix.endpoint.get(app, 'main'), made);
  const patched = await svix.endpoint.patch(app, 'main', { eventTypes: null, disabled: true });
  assert.deepEqual([patched.eventTypes, patched.disabled, patched.channels], [null, true, ['one']]);
  const replaced = await svix.endpoint.upsert(app, made.id, { url: `${url}/new`, uid: 'main' });
  assert.deepEqual([replaced.id, replaced.url, replaced.channels, replaced.disabled], [made.id, `${url}/new`, null, false]);
  await svix.endpoint.setHeaders(app, 'main', { headers: { 'X-A': '1', Authorization: 'Bearer x' } });
  await svix.endpoint.patchHeaders(app, 'main', { headers: { 'X-B': '2' }, deleteHeaders: ['X-A'] });
  const headers = await svix.endpoint.getHeaders(app, 'main');
  assert.deepEqual(headers.headers, { 'X-B': '2' });
  assert.deepEqual(headers.sensitive.map((name) => name.toLowerCase()), ['authorization']);
  const stats = await svix.endpoint.getStats(app, 'main', { since: new Date(Date.now() - 3_600_000) });
  assert.deepEqual({ ...stats }, { success: 0, pending: 0, sending: 0, fail: 0, canceled: 0 });
  await svix.endpoint.delete(app, 'main');
  await refuses(svix.endpoint.get(app, made.id), 404, 'not_found');
});

test('an event type lives its whole life, and its example is sent', async () => {
  const svix = client();
  const name = unique('invoice.paid');
  const schemas = { 1: { type: 'object', examples: [{ amount: 12 }] } };
  const made = await svix.eventType.create({ name, description: 'paid', groupName: 'invoice', featureFlags: ['beta'], schemas });
  assert.deepEqual([made.name, made.groupName, made.featureFlags, made.schemas], [name, 'invoice', ['beta'], schemas]);
  await refuses(svix.eventType.create({ name, description: '' }), 409, 'event_type_exists');
  assert.equal((await svix.eventType.patch(name, { deprecated: true })).deprecated, true);
  assert.equal((await svix.eventType.upsert(name, { description: 'again', schemas })).description, 'again');
  const bare = await all((iterator) => svix.eventType.list({ iterator, limit: 3 }));
  assert.equal(bare.find((t) => t.name === name).schemas, null);
  const full = await all((iterator) => svix.eventType.list({ iterator, withContent: true }));
  assert.deepEqual(full.find((t) => t.name === name).schemas, schemas);

  const { id: app } = await svix.application.create({ name: 'example' });
  const hook = receiver.hook();
  const { id: ep } = await svix.endpoint.create(app, { url: hook.url });
  const sent = await svix.endpoint.sendExample(app, ep, { eventType: name });
  const got = await hook.next();
  verify((await svix.endpoint.getSecret(app, ep)).key, got);
  assert.deepEqual([got.headers['webhook-id'], got.body.toString(), sent.payload], [sent.id, '{"amount":12}', { amount: 12 }]);

  await svix.eventType.delete(name);
  assert.equal((await svix.eventType.get(name)).archived, true);
  await svix.eventType.delete(name, { expunge: true });
  await refuses(svix.eventType.get(name), 404, 'not_found');
});

test('a portal token may manage its own application and no other', async () => {
  const svix = client();
  const { id: app } = await svix.application.create({ name: 'portal' });
  const { id: foreign } = await svix.application.create({ name: 'foreign' });
  const access = await svix.authentication.appPortalAccess(app, {});
  assert.ok(access.url.includes('#code='));
  const customer = client(access.token);
  const made = await customer.endpoint.create(app, { url: receiver.hook().url });
  assert.ok((await customer.endpoint.getSecret(app, made.id)).key.startsWith('whsec_'));
  await refuses(customer.application.list(), 403, 'insufficient access');
  await refuses(customer.message.create(app, { eventType: 'a.b', payload: {} }), 403, 'insufficient access');
  await refuses(customer.endpoint.list(foreign), 404, 'not_found');
  const viewer = client((await svix.authentication.appPortalAccess(app, { capabilities: ['ViewBase'], sessionId: 'v' })).token);
  await refuses(viewer.endpoint.delete(app, made.id), 403, 'insufficient access');
  await svix.authentication.expireAll(app, { sessionIds: ['v'] });
  await refuses(viewer.endpoint.list(app), 401, 'authentication_failed');
  await customer.endpoint.list(app);
  await customer.authentication.logout();
  await refuses(customer.endpoint.list(app), 401, 'authentication_failed');
});

test('errors are the exceptions of the client', async () => {
  const svix = client();
  await svix.health.get();
  const { id: app } = await svix.application.create({ name: 'errors' });
  await refuses(svix.application.get('nobody'), 404, 'not_found');
  await refuses(svix.application.create({ name: '' }), 422, 'body.name');
  await refuses(svix.application.list({ limit: 251 }), 422, 'query.limit');
  await refuses(svix.endpoint.create(app, { url: 'http://10.0.0.1/' }), 422, 'body.url');
  await refuses(svix.message.create(app, { eventType: 'a.b', payload: [] }), 422, 'body.payload');
  await refuses(client('not-a-key-of-this-server').application.list(), 401, 'authentication_failed');
  await refuses(svix.message.precheck(app, { eventType: 'a.b' }), 501, 'not_implemented');
});

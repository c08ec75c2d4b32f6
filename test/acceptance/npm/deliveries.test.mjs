// Messages, their attempts, and what happens when receivers fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageInRaw } from 'svix';
import { all, client, eventually, receiver, refuses, unique, verify } from './rig.mjs';

/** An application with one endpoint that answers by this script. */
async function furnish(...script) {
  const svix = client();
  const { id: app } = await svix.application.create({ name: 'deliveries' });
  const hook = receiver.hook(...script);
  const { id: ep } = await svix.endpoint.create(app, { url: hook.url });
  const { key } = await svix.endpoint.getSecret(app, ep);
  return { svix, app, hook, ep, key };
}

async function stands(svix, app, ep, msg, status) {
  await eventually(async () => {
    const { data } = await svix.messageAttempt.listAttemptedMessages(app, ep);
    assert.equal(data.find((m) => m.id === msg)?.statusText, status);
  });
}

test('a message is delivered signed and as it came', async () => {
  const { svix, app, hook, key } = await furnish();
  const payload = { html: '<a href="x">&</a>', ü: [1, null] };
  const eventId = unique('event');
  const sent = await svix.message.create(app, { eventType: 'user.signup', eventId, payload, channels: ['one'], tags: ['red'] });
  assert.match(sent.id, /^msg_[0-9A-Za-z]{27}$/);
  const got = await hook.next();
  verify(key, got);
  assert.equal(got.headers['webhook-id'], sent.id);
  assert.equal(got.headers['content-type'], 'application/json');
  assert.equal(got.body.toString(), JSON.stringify(payload));
  const found = await svix.message.get(app, eventId, { withContent: true });
  assert.deepEqual([found.id, found.payload, found.channels, found.tags], [sent.id, payload, ['one'], ['red']]);
  assert.deepEqual((await svix.message.get(app, sent.id)).payload, {});
  assert.deepEqual((await svix.message.create(app, { eventType: 'a.b', payload }, { withContent: true })).payload, payload);
  await refuses(svix.message.create(app, { eventType: 'a.b', eventId, payload }), 409, 'conflict');
});

test('raw bodies keep their bytes and type', async () => {
  const { svix, app, hook, key } = await furnish();
  await svix.message.create(app, messageInRaw('raw.event', '<note>grüße</note>\n', 'application/xml'));
  const got = await hook.next();
  verify(key, got);
  assert.equal(got.body.toString(), '<note>grüße</note>\n');
  assert.equal(got.headers['content-type'], 'application/xml');
});

test('an idempotency key makes a message happen once', async () => {
  const { svix, app, hook } = await furnish();
  const once = { idempotencyKey: unique('key') };
  const first = await svix.message.create(app, { eventType: 'a.b', payload: { n: 1 } }, once);
  const again = await svix.message.create(app, { eventType: 'a.b', payload: { n: 1 } }, once);
  assert.equal(again.id, first.id);
  await refuses(svix.message.create(app, { eventType: 'a.b', payload: { n: 2 } }, once), 422, 'header.idempotency-key');
  const last = await svix.message.create(app, { eventType: 'a.b', payload: {} });
  assert.equal((await hook.next()).headers['webhook-id'], first.id);
  assert.equal((await hook.next()).headers['webhook-id'], last.id);
});

test('messages are listed and filtered', async () => {
  const { svix, app } = await furnish();
  const ids = [];
  for (const more of [{ channels: ['one'] }, { tags: ['red'] }, {}]) {
    ids.push((await svix.message.create(app, { eventType: 'list.me', payload: { a: 1 }, ...more })).id);
  }
  const list = async (options) => (await all((iterator) => svix.message.list(app, { ...options, limit: 1, iterator }))).map((m) => m.id);
  const newest = [...ids].sort().reverse();
  assert.deepEqual(await list({}), newest);
  assert.deepEqual(await list({ channel: 'one' }), [ids[0]]);
  assert.deepEqual(await list({ tag: 'red' }), [ids[1]]);
  assert.deepEqual(await list({ eventTypes: ['list.me', 'other'] }), newest);
  assert.deepEqual(await list({ before: new Date(Date.now() - 60_000) }), []);
  assert.deepEqual((await svix.message.list(app, { withContent: true })).data[0].payload, { a: 1 });
});

test('a failing receiver is retried until it succeeds', async () => {
  const { svix, app, hook, ep, key } = await furnish(500, 200);
  const msg = await svix.message.create(app, { eventType: 'a.b', payload: {} });
  for (const status of [500, 200]) {
    const got = await hook.next();
    verify(key, got);
    assert.deepEqual([got.headers['webhook-id'], got.status], [msg.id, status]);
  }
  await stands(svix, app, ep, msg.id, 'success');
  const { data } = await svix.messageAttempt.listByMsg(app, msg.id, { withContent: true });
  assert.deepEqual(
    data.map((a) => [a.status, a.statusText, a.responseStatusCode, a.response, a.triggerType]),
    [[0, 'success', 200, 'answer 200', 0], [2, 'fail', 500, 'answer 500', 0]],
  );
  assert.ok(data[0].timestamp instanceof Date && data[0].responseDurationMs >= 0);
  assert.deepEqual(await svix.messageAttempt.get(app, msg.id, data[0].id), data[0]);
  const failed = await svix.messageAttempt.listByEndpoint(app, ep, { status: 2, statusCodeClass: 500, withMsg: true });
  assert.deepEqual(failed.data.map((a) => [a.id, a.msg.id, a.response]), [[data[1].id, msg.id, '{}']]);
  const [at] = (await svix.messageAttempt.listAttemptedDestinations(app, msg.id)).data;
  assert.deepEqual([at.id, at.status, at.url], [ep, 0, hook.url]);
  await svix.messageAttempt.expungeContent(app, msg.id, data[0].id);
  assert.equal((await svix.messageAttempt.get(app, msg.id, data[0].id)).response, 'EXPUNGED');
});

test('secrets rotate with both signatures', async () => {
  const { svix, app, hook, ep, key } = await furnish();
  await svix.endpoint.rotateSecret(app, ep, {});
  const { key: next } = await svix.endpoint.getSecret(app, ep);
  assert.notEqual(next, key);
  await svix.message.create(app, { eventType: 'a.b', payload: {} });
  const got = await hook.next();
  verify(key, got);
  verify(next, got);
  await svix.endpoint.rotateSecret(app, ep, { gracePeriodSeconds: 0 });
  await svix.message.create(app, { eventType: 'a.b', payload: {} });
  const later = await hook.next();
  assert.throws(() => verify(next, later));
});

test('410 disables; recover brings what was missed', async () => {
  const { svix, app, hook, ep } = await furnish(410);
  const since = new Date(Date.now() - 60_000);
  const gone = await svix.message.create(app, { eventType: 'a.b', payload: {} });
  await hook.next();
  await eventually(async () => assert.equal((await svix.endpoint.get(app, ep)).disabled, true));
  const missed = await svix.message.create(app, { eventType: 'a.b', payload: {} });
  await stands(svix, app, ep, gone.id, 'canceled');
  await refuses(svix.messageAttempt.resend(app, gone.id, ep), 400, 'endpoint_disabled');
  hook.answer(200);
  await svix.endpoint.patch(app, ep, { disabled: false });
  const task = await svix.endpoint.recover(app, ep, { since });
  assert.equal(task.task, 'endpoint.recover');
  const got = [(await hook.next()).headers['webhook-id'], (await hook.next()).headers['webhook-id']];
  assert.deepEqual(got.sort(), [gone.id, missed.id].sort());
  await eventually(async () => assert.equal((await svix.backgroundTask.get(task.id)).status, 'finished'));
  assert.ok((await svix.backgroundTask.list({ task: 'endpoint.recover' })).data.some((t) => t.id === task.id));
});

test('resend is a manual attempt; an expunged payload cannot be sent again', async () => {
  const { svix, app, hook, ep } = await furnish();
  const msg = await svix.message.create(app, { eventType: 'a.b', payload: {} });
  await hook.next();
  await stands(svix, app, ep, msg.id, 'success');
  await svix.messageAttempt.resend(app, msg.id, ep);
  assert.equal((await hook.next()).headers['webhook-id'], msg.id);
  await eventually(async () => {
    const { data } = await svix.messageAttempt.listByMsg(app, msg.id, { endpointId: ep });
    assert.deepEqual(data.map((a) => a.triggerType), [1, 0]);
  });
  await svix.message.expungeContent(app, msg.id);
  assert.deepEqual((await svix.message.get(app, msg.id, { withContent: true })).payload, { expired: true });
  await refuses(svix.messageAttempt.resend(app, msg.id, ep), 400, 'missing_payload');
});

import { expect, test } from "../rig/test.ts";

test("the server answers and delivers to a receiver @both", async ({ server, seed, receiver, api }) => {
  const to = await receiver();
  const app = await seed.app("Acme", { uid: "acme" });
  const endpoint = await seed.endpoint(app.id, to.url);
  const message = await seed.publish(app.id, "invoice.paid");
  await seed.settled(app.id, message.id, endpoint.id, "success");
  expect(to.received).toHaveLength(1);
  expect((await api.get("/api/v1/auth/whoami")) !== undefined).toBe(true);
  expect(server.log()).toContain("listening");
});

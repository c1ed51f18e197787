// Logs in to a server with @xmpp/client, in each way that it knows, and
// says what happened.
//
//	node xmppjs.mjs SERVICE DOMAIN USER PASSWORD
//
// SASL2 with a password, Bind 2 and stream management; then FAST with the token that
// came; then resumption after the connection is cut.
import { client, xml } from "@xmpp/client";

const [service, domain, username, password] = process.argv.slice(2);
const fail = (why) => { console.log("FAILED", why); process.exit(1); };
setTimeout(() => fail("took too long"), 30000);

let token = null;
const agent = xml("user-agent", { id: "d4565fa7-4d72-4749-b3d3-740edbf87770" });
function make() {
  const xmpp = client({ service, domain, username, password, resource: "xmppjs",
    credentials: async (authenticate, mechanisms, fast) => {
      const credentials = { username, password };
      credentials.token = await fast?.fetch();
      await authenticate(credentials, mechanisms[0], agent);
    } });
  xmpp.fast.saveToken = async (t) => { token = t; };
  xmpp.fast.fetchToken = async () => token;
  xmpp.fast.deleteToken = async () => { token = null; };
  xmpp.on("error", (err) => console.log("error", err.message));
  xmpp.on("nonza", (e) => { if (process.env.DBG) console.log("RECV", e.toString().slice(0,400)); });
  xmpp.on("send", (e) => { if (process.env.DBG) console.log("SEND", e.toString().slice(0,150)); if (e.name === "authenticate") console.log("mechanism", e.attrs.mechanism); });
  return xmpp;
}

const ping = (xmpp) => xmpp.iqCaller.request(xml("iq", { type: "get", to: domain }, xml("ping", "urn:xmpp:ping")), 5000);

const first = make();
await first.start();
console.log("online", first.jid.toString());
if (!first.jid.resource.startsWith("xmppjs/")) fail("Bind 2 did not use the tag");
if (!first.streamManagement.enabled) fail("no stream management");
if (!token) fail("no token");
await ping(first);
await first.stop();

const second = make();
const before = token.token;
await second.start();
console.log("online", second.jid.toString());
await ping(second);
console.log("id", second.streamManagement.id ? "yes" : "no");

const resumed = new Promise((resolve) => second.streamManagement.on("resumed", resolve));
second.reconnect.delay = 10;
second.socket.destroy?.() ?? second.socket.end();
await resumed;
console.log("resumed", second.jid.toString());
await ping(second);
await second.stop();
if (before !== token?.token) fail("the token changed");
console.log("ALL WELL");
process.exit(0);

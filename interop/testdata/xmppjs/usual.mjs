// Does with @xmpp/client what people's clients do, on a server with the usual extensions where anybody may make an
// account, and says of each thing whether it works.
//
//	node usual.mjs SERVICE DOMAIN PASSWORD
//
// The password is that of juliet. Romeo makes an account for himself.
import { client, xml } from "@xmpp/client";

const [service, domain, password] = process.argv.slice(2);
const juliet = `juliet@${domain}`, romeo = `romeo@${domain}`;
const patience = 10000;

function check(what, ok) { if (!ok) throw new Error(what); }

// A device is a client that remembers what it hears.
class Device {
  constructor(username, password, resource, { prepare, carbons } = {}) {
    this.heard = [];
    this.waiting = new Set();
    this.xmpp = client({ service, domain, username, resource,
      credentials: async (authenticate, mechanisms) => {
        await prepare?.(this);
        await authenticate({ username, password }, mechanisms[0], xml("user-agent", { id: "d4565fa7-4d72-4749-b3d3-740edbf87770" }));
      } });
    this.xmpp.on("error", (err) => console.log("error", err.message));
    this.xmpp.on("stanza", (s) => { this.heard.push(s); for (const w of this.waiting) w(); });
    this.xmpp.on("nonza", (e) => { if (e.is("success", "urn:xmpp:sasl:2")) this.success = e; });
    if (carbons) this.xmpp.bind2.use("urn:xmpp:carbons:2", () => xml("enable", "urn:xmpp:carbons:2"));
    for (const [ns, name] of [["jabber:iq:roster", "query"], ["urn:xmpp:blocking", "block"], ["urn:xmpp:blocking", "unblock"]])
      this.xmpp.iqCallee.set(ns, name, () => true); // pushes
  }

  async online() {
    await this.xmpp.start();
    this.jid = this.xmpp.jid.toString();
    await this.get(xml("query", "jabber:iq:roster"));
    await this.xmpp.send(xml("presence"));
    return this;
  }

  get(payload, to) { return this.xmpp.iqCaller.get(payload, to, patience); }
  set(payload, to) { return this.xmpp.iqCaller.set(payload, to, patience); }
  say(to, text) { return this.xmpp.send(xml("message", { to, type: "chat", id: text }, xml("body", {}, text))); }

  // hears waits for a stanza and takes it from those heard.
  hears(what, when) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const i = this.heard.findIndex(when);
        if (i < 0) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(this.heard.splice(i, 1)[0]);
      };
      const timer = setTimeout(() => reject(new Error(`${this.jid} does not hear ${what}, but ${this.heard.join("\n")}`)), patience);
      this.waiting.add(look);
      look();
    });
  }

  hearsText(text) { return this.hears(text, (s) => s.is("message") && s.attrs.type !== "error" && s.getChildText("body") === text); }
}

// refused wants a request to fail with a condition.
async function refused(request, condition) {
  try {
    await request;
  } catch (err) {
    check(`${err} instead of ${condition}`, err.condition === condition);
    return;
  }
  throw new Error(`was not refused with ${condition}`);
}

const secret = "call me but love"; // romeo's
let phone, tablet, his;

const steps = {
  "login": async () => {
    phone = await new Device("juliet", password, "phone").online();
    tablet = await new Device("juliet", password, "tablet", { carbons: true }).online();
    for (const d of [phone, tablet]) {
      check("no Bind 2", d.success?.getChild("bound", "urn:xmpp:bind:0"));
      check(d.jid, d.jid.startsWith(`${juliet}/${d === phone ? "phone" : "tablet"}/`));
      check("no stream management", d.xmpp.streamManagement.enabled);
    }
  },

  "registration": async () => {
    const fields = (name) => xml("query", "jabber:iq:register", xml("username", {}, name), xml("password", {}, secret));
    his = await new Device("romeo", secret, "orchard", { prepare: async (d) => {
      const asked = await d.get(xml("query", "jabber:iq:register"), domain);
      check(`${asked}`, asked.getChild("username") && asked.getChild("password") && !asked.getChild("registered"));
      await refused(d.set(fields("juliet"), domain), "conflict");
      await d.set(fields("romeo"), domain);
    } }).online();
    const own = await his.get(xml("query", "jabber:iq:register"), domain);
    check(`${own}`, own.getChild("registered") && own.getChildText("username") === "romeo");
  },

  "roster": async () => {
    await phone.set(xml("query", "jabber:iq:roster", xml("item", { jid: romeo, name: "Romeo" }, xml("group", {}, "Montagues"))));
    for (const d of [phone, tablet])
      await d.hears("the push", (s) => s.is("iq") && s.attrs.type === "set" && s.getChild("query", "jabber:iq:roster")?.getChild("item")?.attrs.jid === romeo);
    const item = (await tablet.get(xml("query", "jabber:iq:roster"))).getChild("item");
    check(`${item}`, item.attrs.name === "Romeo" && item.getChildText("group") === "Montagues" && item.attrs.subscription === "none");
  },

  "subscription": async () => {
    await phone.xmpp.send(xml("presence", { to: romeo, type: "subscribe" }));
    await his.hears("the request", (s) => s.is("presence") && s.attrs.type === "subscribe" && s.attrs.from === juliet);
    await his.xmpp.send(xml("presence", { to: juliet, type: "subscribed" }));
    for (const d of [phone, tablet])
      await d.hears("his presence", (s) => s.is("presence") && !s.attrs.type && s.attrs.from === his.jid);
    await his.xmpp.send(xml("presence", { to: juliet, type: "subscribe" }));
    await phone.hears("the request", (s) => s.is("presence") && s.attrs.type === "subscribe" && s.attrs.from === romeo);
    await phone.xmpp.send(xml("presence", { to: romeo, type: "subscribed" }));
    for (const d of [phone, tablet])
      await his.hears("her presence", (s) => s.is("presence") && !s.attrs.type && s.attrs.from === d.jid);
  },

  "presence": async () => {
    const away = (from) => (s) => s.is("presence") && s.attrs.from === from && s.getChildText("show") === "away";
    await his.xmpp.send(xml("presence", {}, xml("show", {}, "away")));
    for (const d of [phone, tablet]) await d.hears("that he is away", away(his.jid));
    await phone.xmpp.send(xml("presence", {}, xml("show", {}, "away")));
    await his.hears("that she is away", away(phone.jid));
  },

  "chat": async () => {
    await his.say(phone.jid, "O & <speak> again");
    await phone.hearsText("O & <speak> again");
    await phone.say(his.jid, "🌹");
    await his.hearsText("🌹");
  },

  "resumption": async () => {
    const resumed = new Promise((resolve) => phone.xmpp.streamManagement.once("resumed", resolve));
    phone.xmpp.reconnect.delay = 200;
    await phone.say(his.jid, "cut off");
    phone.xmpp.socket.socket.destroy();
    await his.say(phone.jid, "while you were away");
    await resumed;
    await phone.hearsText("while you were away");
    await his.hearsText("cut off");
    await phone.say(his.jid, "back again");
    await his.hearsText("back again");
    check("it came twice", !his.heard.some((s) => s.is("message")));
    check("he saw her leave", !his.heard.some((s) => s.is("presence") && s.attrs.from === phone.jid && s.attrs.type === "unavailable"));
  },

  "disco": async () => {
    const info = await phone.get(xml("query", "http://jabber.org/protocol/disco#info"), domain);
    check(`${info}`, info.getChildren("identity").some((i) => i.attrs.category === "server" && i.attrs.type === "im"));
    const features = info.getChildren("feature").map((f) => f.attrs.var);
    for (const f of ["urn:xmpp:blocking", "urn:xmpp:carbons:2", "urn:xmpp:ping", "vcard-temp", "jabber:iq:register"])
      check(`${f} is not in ${features}`, features.includes(f));
    await phone.get(xml("query", "http://jabber.org/protocol/disco#items"), domain);
    const account = await phone.get(xml("query", "http://jabber.org/protocol/disco#info"), juliet);
    check(`${account}`, account.getChild("identity")?.attrs.category === "account");
  },

  "ping": async () => {
    for (const to of [domain, juliet, his.jid]) await phone.get(xml("ping", "urn:xmpp:ping"), to);
  },

  "vcard": async () => {
    await phone.set(xml("vCard", "vcard-temp", xml("FN", {}, "Juliet Capulet")));
    for (const [d, to] of [[phone], [tablet, juliet], [his, juliet]]) {
      const card = await d.get(xml("vCard", "vcard-temp"), to);
      check(`${card}`, card.getChildText("FN") === "Juliet Capulet");
    }
    await refused(his.get(xml("vCard", "vcard-temp"), `nobody@${domain}`), "service-unavailable");
  },

  "carbons": async () => {
    const copied = (kind, text) => (s) => s.is("message") && s.attrs.from === juliet &&
      s.getChild(kind, "urn:xmpp:carbons:2")?.getChild("forwarded", "urn:xmpp:forward:0")?.getChild("message")?.getChildText("body") === text;
    await his.say(phone.jid, "to the phone");
    await phone.hearsText("to the phone");
    await tablet.hears("the copy", copied("received", "to the phone"));
    await phone.say(his.jid, "from the phone");
    await his.hearsText("from the phone");
    await tablet.hears("the copy", copied("sent", "from the phone"));
  },

  "blocking": async () => {
    const block = (name, ...jids) => xml(name, "urn:xmpp:blocking", ...jids.map((jid) => xml("item", { jid })));
    const list = async (d) => (await d.get(block("blocklist"))).getChildren("item").map((i) => i.attrs.jid).join();
    check("somebody is blocked", await list(phone) === "" && await list(tablet) === "");
    await phone.set(block("block", romeo));
    await tablet.hears("the push", (s) => s.is("iq") && s.getChild("block", "urn:xmpp:blocking")?.getChild("item").attrs.jid === romeo);
    check("romeo is not listed", await list(tablet) === romeo);
    await his.say(juliet, "do you hear me?");
    const bounced = await his.hears("an error", (s) => s.is("message") && s.attrs.type === "error" && s.attrs.id === "do you hear me?");
    check(`${bounced}`, bounced.getChild("error").getChild("service-unavailable"));
    await tablet.set(block("unblock", romeo));
    await his.say(phone.jid, "and now?");
    await phone.hearsText("and now?");
    for (const d of [phone, tablet])
      check("it was heard", !d.heard.some((s) => `${s}`.includes("do you hear me?")));
  },

  "offline": async () => {
    await his.xmpp.stop();
    for (const d of [phone, tablet])
      await d.hears("that he is gone", (s) => s.is("presence") && s.attrs.type === "unavailable" && s.attrs.from === his.jid);
    await phone.say(romeo, "come back");
    await phone.get(xml("ping", "urn:xmpp:ping"), domain);
    his = await new Device("romeo", secret, "mantua").online();
    const late = await his.hearsText("come back");
    check(`${late}`, late.attrs.from === phone.jid && late.getChild("delay", "urn:xmpp:delay")?.attrs.stamp);
  },

  "goodbye": async () => { for (const d of [phone, tablet, his]) await d.xmpp.stop(); },
};

for (const [name, run] of Object.entries(steps)) {
  try {
    await run();
    console.log("ok", name);
  } catch (err) {
    console.log("FAILED", name, err);
    process.exit(1);
  }
}
process.exit(0);

"""A device of somebody's, made of slixmpp, that remembers what it hears."""

import asyncio
import contextlib
import inspect

import slixmpp
from slixmpp.exceptions import IqError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

PATIENCE = 10  # seconds, for whatever has to come

PLUGINS = ["xep_0012", "xep_0030", "xep_0048", "xep_0049", "xep_0054", "xep_0077", "xep_0092", "xep_0115", "xep_0191",
           "xep_0198", "xep_0199", "xep_0202", "xep_0203", "xep_0280", "xep_0352"]

EVENTS = ["presence_available", "presence_away", "presence_unavailable", "presence_subscribe", "presence_subscribed", "presence_unsubscribe",
          "presence_unsubscribed", "message", "message_error", "carbon_received", "carbon_sent", "blocked", "unblocked",
          "vcard_avatar_update", "roster_update", "session_start", "session_resumed", "failed_auth", "failed_all_auth",
          "disconnected", "stream_error"]


def place(server, ca):
    """Where a server is, and the certificate by which it is known."""
    host, port = server.rsplit(":", 1)
    return (host, int(port)), ca


class Device(slixmpp.ClientXMPP):
    def __init__(self, where, account, password, plugins=()):
        super().__init__(account, password)
        self.address, self.ca_certs = where
        self.heard, self.news = [], asyncio.Condition()
        self.offers = {}  # the features of the stream by their names, as XML
        self.auto_authorize, self.auto_subscribe = None, False
        for name in [*PLUGINS, *plugins]:
            self.register_plugin(name)
        for name in EVENTS:
            self.add_event_handler(name, lambda x, name=name: self.hear(name, x))
        features = MatchXPath("{%s}features" % self.stream_ns)
        self.register_handler(Callback("Offers", features, self._offered))
        caps = self.plugin["xep_0115"]
        self._verified = caps.static.assign_verstring
        caps.api.register(self._assign, "assign_verstring", default=True)

    def _offered(self, features):
        self.offers.update({child.tag: child for child in features.xml})

    def _assign(self, jid, node, ifrom, data):
        """Slixmpp has got the capabilities of somebody, and their hash is right."""
        self.hear("verified", str(jid))
        return self._verified(jid, node, ifrom, data)

    def hear(self, name, what):
        self.heard.append((name, what))
        asyncio.ensure_future(self._notify())

    async def _notify(self):
        async with self.news:
            self.news.notify_all()

    async def hears(self, name, when=lambda x: True):
        """Waits for an event, takes it from those heard and returns it."""
        async with self.news:
            try:
                await asyncio.wait_for(self.news.wait_for(lambda: self.has_heard(name, when)), PATIENCE)
            except asyncio.TimeoutError:
                raise AssertionError("%s does not hear %s, but %s" % (self.boundjid, name, [(n, str(x)) for n, x in self.heard])) from None
            one = next(h for h in self.heard if h[0] == name and when(h[1]))
            self.heard.remove(one)
            return one[1]

    def has_heard(self, name, when=lambda x: True):
        return any(n == name and when(x) for n, x in self.heard)

    def connect_there(self):
        """Connects to the server of the test; how an address is said depends on the version."""
        if "address" in inspect.signature(slixmpp.ClientXMPP.connect).parameters:
            return self.connect(self.address)
        self.enable_direct_tls = False
        return self.connect(*self.address)

    async def online(self, presence=True):
        """Logs in, gets the roster and becomes available."""
        self.connect_there()
        await self.hears("session_start")
        await asyncio.wait_for(self.get_roster(), PATIENCE)
        if presence:
            self.send_presence()
        return self

    async def offline(self, status=None):
        """Says goodbye, and closes the stream."""
        if status:
            self.send_presence(ptype="unavailable", pstatus=status)
        await self.disconnect()

    async def ping(self, to):
        await self.plugin["xep_0199"].send_ping(to, timeout=PATIENCE)


@contextlib.asynccontextmanager
async def refused(*conditions):
    """Wants what is asked for within to be answered with an error."""
    try:
        yield
    except IqError as e:
        assert e.condition in conditions, e.condition
    else:
        raise AssertionError("was not refused")


class Report:
    """Runs things that must work, and says of each whether it does."""

    def __init__(self):
        self.steps = []

    def step(self, f):
        self.steps.append(f)
        return f

    async def _run(self, stage):
        for f in self.steps:
            name = f.__name__.replace("_", " ")
            try:
                await asyncio.wait_for(f(stage), 3 * PATIENCE)
            except Exception as e:
                print("FAILED", name, type(e).__name__, e, flush=True)
                raise
            print("ok", name, flush=True)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def run(self, stage):
        """Stops at the first that does not: what follows would only fail for that reason."""
        asyncio.get_event_loop().run_until_complete(self._run(stage))

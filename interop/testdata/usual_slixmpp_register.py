"""Makes accounts with slixmpp, changes the password of one and deletes it, and says of each thing
whether it works. Arguments: host:port, CA file; and where it takes an invite, the token of one, and the
password of bard, who has another one made."""

import re
import sys
from types import SimpleNamespace

from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET
from usual_device import PATIENCE, Device, Report, place

report = Report()
step = report.step


class Newcomer(Device):
    """Somebody who has no account yet."""

    def __init__(self, where, name, token=None):
        super().__init__(where, name + "@localhost/new", "what's in a name?")
        self.token = token
        self._always_send_everything = True  # slixmpp 1.8 holds back its own requests until the login
        self.add_event_handler("register", self._register)

    async def _register(self, form):
        preauth, iq = self.make_iq_set(ito="localhost"), self.make_iq_set(ito="localhost")
        preauth.append(ET.Element("{urn:xmpp:pars:0}preauth", token=self.token or ""))
        iq["register"]["username"], iq["register"]["password"] = self.boundjid.user, self.password
        try:
            if self.token:  # slixmpp knows no invites
                await preauth.send(timeout=PATIENCE)
            await iq.send(timeout=PATIENCE)
            self.hear("registered", form["register"])
        except IqError as e:
            self.hear("refused", e.condition)
            self.disconnect()

    async def refused(self):
        """Asks for the account, and returns why it is not to be had."""
        self.connect_there()
        return await self.hears("refused")


async def login_fails(s, password):
    d = Device(s.place, "paris@localhost/old", password)
    d.connect_there()
    await d.hears("failed_all_auth")
    await d.offline()


@step
async def invitation(s):
    if not s.operators:
        return
    bard = await Device(s.place, "bard@localhost/pen", s.password, ["xep_0050"]).online()
    made = (await bard.plugin["xep_0050"].send_command("localhost", "urn:xmpp:invite#invite", timeout=PATIENCE))["command"]
    assert made["status"] == "completed", made
    uri = made["form"].get_values()["uri"]
    assert uri.startswith("xmpp:bard@localhost?"), uri
    s.token = re.search("preauth=([^;]+)", uri).group(1)
    await bard.offline()


@step
async def account(s):
    if s.token:
        assert await Newcomer(s.place, "paris").refused() == "forbidden"
    s.paris = Newcomer(s.place, "paris", s.token)
    await s.paris.online()
    asked = await s.paris.hears("registered")
    assert not asked["registered"], asked
    if not s.token:
        assert {"username", "password"} <= asked["fields"], asked


@step
async def inviter(s):
    if s.token:
        assert s.paris.client_roster["bard@localhost"]["subscription"] == "both", s.paris.client_roster


@step
async def refusal(s):
    if s.token:
        assert await Newcomer(s.place, "tybalt", s.token).refused() == "item-not-found"  # the invite was for one
        tybalt = await Newcomer(s.place, "tybalt", s.operators).online()
        assert not set(tybalt.client_roster.keys()) - {"tybalt@localhost"}, tybalt.client_roster  # whom the operator invites
        await tybalt.offline()
    else:
        assert await Newcomer(s.place, "paris").refused() == "conflict"


@step
async def registered(s):
    own = (await s.paris.plugin["xep_0077"].get_registration("localhost", timeout=PATIENCE))["register"]
    assert own["registered"] and own["username"] == "paris", own


@step
async def password(s):
    old, new = s.paris.password, "a rose by any other name"
    await s.paris.plugin["xep_0077"].change_password(new, timeout=PATIENCE)
    await login_fails(s, old)
    other = await Device(s.place, "paris@localhost/other", new).online()
    await other.offline()
    s.paris.password = new


@step
async def removal(s):
    await s.paris.plugin["xep_0077"].cancel_registration(timeout=PATIENCE)
    await s.paris.hears("disconnected")
    await login_fails(s, s.paris.password)


server, ca, *invited = sys.argv[1:]
operators, password = invited or (None, None)
report.run(SimpleNamespace(place=place(server, ca), operators=operators, password=password, token=None))

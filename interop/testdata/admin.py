"""Runs a server with slixmpp: an admin lists commands and runs several, and a user is
forbidden. Arguments: domain, host:port, CA file, admin's password, user's password."""

import asyncio
import sys

import slixmpp
from slixmpp.exceptions import IqError

ADMIN = "http://jabber.org/protocol/admin#"


class Person(slixmpp.ClientXMPP):
    def __init__(self, account, password, ca):
        super().__init__(account, password)
        self.ca_certs = ca
        self.heard = asyncio.Queue()
        self.gone = asyncio.get_event_loop().create_future()
        self.add_event_handler("message", self.heard.put_nowait)
        self.add_event_handler("stream_error", self.ended)
        for name in ("xep_0030", "xep_0004", "xep_0050", "xep_0133"):
            self.register_plugin(name)

    def ended(self, error):
        if not self.gone.done():
            self.gone.set_result(error["condition"])

    async def run(self, name, **values):
        """Runs a command of at most one form, and returns what came of it."""
        commands, domain = self["xep_0050"], self.boundjid.server
        iq = await commands.send_command(domain, ADMIN + name, timeout=10)
        command = iq["command"]
        if command["status"] == "completed":
            return command["form"]
        assert command["actions"] == {"complete"}, command["actions"]
        form = command["form"]
        assert ADMIN[:-1] in form.get_fields()["FORM_TYPE"]["value"], form
        form["type"] = "submit"
        form["values"] = values
        iq = await commands.send_command(domain, ADMIN + name, action="complete", payload=form,
                                         sessionid=command["sessionid"], timeout=10)
        assert iq["command"]["status"] == "completed", iq
        return iq["command"]["form"]

    async def listed(self):
        items = await self["xep_0050"].get_commands(self.boundjid.server, timeout=10)
        return {node for _, node, _ in items["disco_items"]["items"]}

    def workflow(self, name, **values):
        """Runs a command the way of the plugin's own workflow; the future has the last status."""
        done = asyncio.get_event_loop().create_future()

        def finish(iq, session):
            done.set_result(iq["command"]["status"])

        def fill(iq, session):
            form = iq["command"]["form"]
            form["type"] = "submit"
            form["values"] = values
            session["payload"], session["next"] = form, finish
            self["xep_0050"].complete_command(session)

        def failed(iq, session):
            done.set_result(iq["error"]["condition"])

        getattr(self["xep_0133"], name)(session={"next": fill, "error": failed})
        return done


async def connected(account, password, server, ca):
    person = Person(account, password, ca)
    ready = person.wait_until("session_start", timeout=20)
    host, port = server.rsplit(":", 1)
    person.connect((host, int(port)))
    await ready
    person.send_presence()
    await person.get_roster()
    return person


async def main(domain, server, ca, bard_password, user_password):
    bard = await connected("bard@" + domain, bard_password, server, ca)
    listed = await bard.listed()
    for name in ("add-user", "announce", "get-online-users-num", "end-user-session"):
        assert ADMIN + name in listed, listed
    print("ok an admin sees the commands")

    account = "juliet@" + domain
    form = {"accountjid": account, "password": user_password, "password-verify": user_password}
    await bard.run("add-user", **form)
    try:
        await bard.run("add-user", **form)
        raise AssertionError("it was made twice")
    except IqError as e:
        assert e.condition == "conflict", e.condition
    juliet = await connected(account, user_password, server, ca)
    print("ok an account is made, and once only")

    form = await bard.run("get-online-users-num")
    assert form["values"]["onlineusersnum"] == "2", form
    form = await bard.run("get-online-users-list", max_items="25")
    assert sorted(form["values"]["onlineuserjids"]) == ["bard@" + domain, account], form
    print("ok who is online")
    await bard.run("announce", announcement="Attention!\nPlease log off now.")
    message = await asyncio.wait_for(juliet.heard.get(), 10)
    assert message["body"] == "Attention!\nPlease log off now.", message
    assert message["from"] == domain, message
    status = await asyncio.wait_for(bard.workflow("set_motd", motd="the play"), 10)
    assert status == "completed", status
    message = await asyncio.wait_for(juliet.heard.get(), 10)
    assert message["body"] == "the play", message
    print("ok an announcement and a message of the day")

    assert await juliet.listed() == set()
    for name in ("add-user", "announce", "get-online-users-num", "end-user-session"):
        try:
            await juliet.run(name, accountjid=account)
            raise AssertionError(name + " is for everybody")
        except IqError as e:
            assert e.condition == "forbidden", e.condition
    status = await asyncio.wait_for(juliet.workflow("delete_user"), 10)
    assert status == "forbidden", status
    print("ok a user is forbidden")

    await bard.run("end-user-session", accountjids=[account])
    condition = await asyncio.wait_for(juliet.gone, 10)
    assert condition == "policy-violation", condition
    print("ok a session is ended")
    await bard.disconnect()


asyncio.get_event_loop().run_until_complete(main(*sys.argv[1:]))

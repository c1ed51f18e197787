"""Runs a server with slixmpp: an admin lists commands and runs several, and a user is
forbidden. Arguments: domain, host:port, CA file, admin's password, user's password."""

import asyncio
import sys

import slixmpp
from slixmpp.exceptions import IqError

ADMIN = "http://jabber.org/protocol/admin#"

# What XEP-0133 has.
COMMANDS = """add-user delete-user disable-user reenable-user end-user-session get-user-password change-user-password get-user-roster
get-user-lastlogin user-stats edit-blacklist edit-whitelist get-registered-users-num get-disabled-users-num get-online-users-num
get-active-users-num get-idle-users-num get-registered-users-list get-disabled-users-list get-online-users-list get-active-users
get-idle-users announce set-motd edit-motd delete-motd set-welcome delete-welcome edit-admin restart shutdown""".split()


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


async def rejected(account, password, server, ca):
    person = Person(account, password, ca)
    failed = person.wait_until("failed_all_auth", timeout=20)
    host, port = server.rsplit(":", 1)
    person.connect((host, int(port)))
    await failed


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
    for name in COMMANDS:
        try:
            await juliet.run(name, accountjid=account)
            raise AssertionError(name + " is for everybody")
        except IqError as e:
            assert e.condition == "forbidden", e.condition
    status = await asyncio.wait_for(juliet.workflow("delete_user"), 10)
    assert status == "forbidden", status
    print("ok a user is forbidden")

    for group in "registered", "disabled", "online", "active", "idle":
        form = await bard.run("get-%s-users-num" % group)
        (count,) = [v for k, v in form["values"].items() if k != "FORM_TYPE"]
        form = await bard.run("get-%s-users" % group + ("" if group in ("active", "idle") else "-list"), max_items="25")  # the XEP's names
        (users,) = [v or [] for k, v in form["values"].items() if k != "FORM_TYPE"]
        assert int(count) == len(users), (group, count, users)
    form = await bard.run("user-stats", accountjid=account)
    assert form["values"]["onlineresources"] == juliet.boundjid.resource or juliet.boundjid.resource in form["values"]["onlineresources"], form
    form = await bard.run("get-user-lastlogin", accountjids=[account])
    assert form["values"]["lastlogin"], form
    form = await bard.run("get-user-roster", accountjids=[account])
    assert form.xml.find("{jabber:iq:roster}query") is not None, form
    print("ok who there is, and what is known of them")

    await bard.run("edit-motd", motd="another play")
    await bard.run("delete-motd")
    await bard.run("set-welcome", welcome="Welcome to Verona")
    await bard.run("delete-welcome")
    print("ok messages are changed and deleted")

    await bard.run("end-user-session", accountjids=[account])
    condition = await asyncio.wait_for(juliet.gone, 10)
    assert condition == "policy-violation", condition
    print("ok a session is ended")

    await bard.run("change-user-password", accountjid=account, password="a new p4ssword")
    again = await connected(account, "a new p4ssword", server, ca)
    await bard.run("disable-user", accountjids=[account])
    assert await asyncio.wait_for(again.gone, 10) in ("policy-violation", "not-authorized"), again.gone
    await rejected(account, "a new p4ssword", server, ca)
    form = await bard.run("get-disabled-users-list", max_items="25")
    assert form["values"]["disableduserjids"] in (account, [account]), form
    await bard.run("reenable-user", accountjids=[account])
    await (await connected(account, "a new p4ssword", server, ca)).disconnect()
    print("ok an account is disabled and enabled")

    status = await asyncio.wait_for(bard.workflow("add_user", accountjid=account, password="x4567890", **{"password-verify": "x4567890"}), 10)
    assert status == "conflict", status
    status = await asyncio.wait_for(bard.workflow("delete_user", accountjids=[account]), 10)
    assert status == "completed", status
    await rejected(account, "a new p4ssword", server, ca)
    print("ok an account is deleted")
    await bard.disconnect()


asyncio.get_event_loop().run_until_complete(main(*sys.argv[1:]))

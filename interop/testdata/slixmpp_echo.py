"""Logs in with slixmpp, looks for the bot in the roster and online, and wants
each text echoed. Arguments: account, password, host:port, CA file, texts."""

import asyncio
import inspect
import sys

import slixmpp

BOT = "bot@localhost"


class User(slixmpp.ClientXMPP):
    def __init__(self, account, password, ca):
        super().__init__(account, password)
        self.ca_certs = ca
        self.online = asyncio.get_event_loop().create_future()
        self.heard = asyncio.Queue()
        self.add_event_handler("message", self.heard.put_nowait)
        self.add_event_handler("changed_status", self.status)
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")
        self.register_plugin("xep_0198")

    def status(self, presence):
        if presence["from"].bare == BOT and not self.online.done():
            self.online.set_result(True)


async def main(account, password, server, ca, *texts):
    user = User(account, password, ca)
    ready = user.wait_until("session_start", timeout=20)
    host, port = server.rsplit(":", 1)
    if "address" in inspect.signature(slixmpp.ClientXMPP.connect).parameters:
        user.connect((host, int(port)))
    else:  # newer versions ignore such a pair, and try 5222
        user.enable_direct_tls = False
        user.connect(host, int(port))
    await ready
    print("logged in as", user.boundjid.full)
    await user.get_roster()
    assert user.client_roster[BOT]["subscription"] == "both", user.client_roster
    print("the roster has", BOT)
    user.send_presence()
    await asyncio.wait_for(user.online, 10)
    print(BOT, "is online")
    for text in texts:
        user.send_message(BOT, text, mtype="chat")
        message = await asyncio.wait_for(user.heard.get(), 10)
        assert message["body"] == text, message["body"][:100]
    print("echoed", len(texts))
    assert user.plugin["xep_0198"].enabled_in, "no stream management"
    rtt = await user["xep_0199"].ping("localhost", timeout=10)
    info = await user["xep_0030"].get_info("localhost", timeout=10)
    identities = [i[:2] for i in info["disco_info"]["identities"]]
    assert ("server", "im") in identities, identities
    print("the server is", identities)
    await user.disconnect()


asyncio.get_event_loop().run_until_complete(main(*sys.argv[1:]))

"""Does with slixmpp what people's clients do, on a server with the usual extensions, and says of each
thing whether it works. Arguments: host:port, CA file, password of juliet and romeo."""

import hashlib
import sys
from datetime import datetime, timezone
from types import SimpleNamespace

from slixmpp.plugins import xep_0082
from slixmpp.plugins.xep_0048.stanza import Bookmarks
from usual_device import PATIENCE, Device, Report, place, refused

SERVER, JULIET, ROMEO = "localhost", "juliet@localhost", "romeo@localhost"
PICTURE = b"\x89PNG\r\n\x1a\nJuliet, on a balcony"

report = Report()
step = report.step


@step
async def login(s):
    s.phone = await Device(s.place, JULIET + "/phone", s.password, ["xep_0153"]).online()
    s.tablet = await Device(s.place, JULIET + "/tablet", s.password).online()
    s.romeo = await Device(s.place, ROMEO + "/orchard", s.password, ["xep_0153"]).online()
    s.laptop = await Device(s.place, ROMEO + "/laptop", s.password, ["xep_0153"]).online()
    s.all = [s.phone, s.tablet, s.romeo, s.laptop]
    for d in s.all:
        assert d.boundjid.full == d.requested_jid.full, d.boundjid
    await s.phone.hears("presence_available", lambda p: p["from"] == s.tablet.boundjid)


@step
async def stream_features(s):
    want = {"{urn:xmpp:stream-limits:0}limits", "{urn:xmpp:features:rosterver}ver", "{urn:xmpp:features:pre-approval}sub",
            "{urn:xmpp:csi:0}csi", "{urn:xmpp:sm:3}sm", "{http://jabber.org/protocol/caps}c"}
    assert want <= set(s.phone.offers), want - set(s.phone.offers)


@step
async def limits(s):
    offered = s.phone.offers["{urn:xmpp:stream-limits:0}limits"]
    most = int(offered.find("{urn:xmpp:stream-limits:0}max-bytes").text)
    assert most >= 10000, most
    if hasattr(s.phone, "limits"):  # slixmpp 1.8 does not know them
        assert s.phone.limits.max_bytes == most and s.phone.limits.idle_seconds, s.phone.limits


@step
async def stream_management(s):
    for d in s.all:
        assert d.plugin["xep_0198"].enabled_in and d.plugin["xep_0198"].sm_id, d.boundjid


@step
async def resumption(s):
    told = "while the tablet was away"
    s.tablet.transport.abort()
    await s.tablet.hears("disconnected")
    s.phone.send_message(s.tablet.boundjid, told, mtype="chat")
    await s.phone.ping(SERVER)
    s.tablet.connect_there()
    await s.tablet.hears("session_resumed")
    await s.tablet.hears("message", lambda m: m["body"] == told)


@step
async def server_disco(s):
    info = (await s.phone.plugin["xep_0030"].get_info(SERVER, timeout=PATIENCE))["disco_info"]
    assert ("server", "im") in [i[:2] for i in info["identities"]], info
    want = {"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items", "http://jabber.org/protocol/caps",
            "jabber:iq:version", "urn:xmpp:time", "jabber:iq:last", "vcard-temp", "jabber:iq:private", "jabber:iq:register",
            "urn:xmpp:blocking", "urn:xmpp:carbons:2", "urn:xmpp:ping"}
    assert want <= set(info["features"]), want - set(info["features"])
    account = (await s.phone.plugin["xep_0030"].get_info(JULIET, timeout=PATIENCE))["disco_info"]
    assert ("account", "registered") in [i[:2] for i in account["identities"]], account
    await s.phone.plugin["xep_0030"].get_items(SERVER, timeout=PATIENCE)


@step
async def contact_addresses(s):
    info = (await s.phone.plugin["xep_0030"].get_info(SERVER, timeout=PATIENCE))["disco_info"]
    forms = [{name: "".join(field.xml.itertext()) for name, field in form.get_fields().items()} for form in info["substanzas"] if form.name == "x"]
    assert {"FORM_TYPE": "http://jabber.org/network/serverinfo", "abuse-addresses": "mailto:abuse@example.org"} in forms, forms


@step
async def server_capabilities(s):
    await s.phone.hears("verified", lambda jid: jid == SERVER)
    caps = await s.phone.plugin["xep_0115"].get_caps(SERVER)
    assert "urn:xmpp:blocking" in caps["features"], caps


@step
async def roster_versions(s):
    get = s.phone.Iq()
    get["type"] = "get"
    get.enable("roster")
    get["roster"]["ver"] = ""
    known = (await get.send(timeout=PATIENCE))["roster"]["ver"]
    assert known, "no version"
    get = s.phone.Iq()
    get["type"] = "get"
    get["roster"]["ver"] = known
    same = await get.send(timeout=PATIENCE)
    assert len(same.xml) == 0, same


@step
async def new_contact(s):
    s.phone.update_roster("nurse@localhost", name="Nurse", groups=["Servants"])
    for d in s.phone, s.tablet:
        await d.hears("roster_update", lambda i: "nurse@localhost" in i["roster"]["items"])
        assert d.client_roster["nurse@localhost"]["groups"] == ["Servants"], d.client_roster


@step
async def subscription(s):
    s.phone.send_presence_subscription(ROMEO, ptype="subscribe")
    for d in s.phone, s.tablet:
        await d.hears("roster_update", lambda i: i["roster"]["items"].get(ROMEO, {}).get("ask") == "subscribe")
    for d in s.romeo, s.laptop:
        await d.hears("presence_subscribe", lambda p: p["from"] == JULIET)
    s.romeo.send_presence_subscription(JULIET, ptype="subscribed")
    await s.phone.hears("presence_subscribed", lambda p: p["from"] == ROMEO)
    for d in s.phone, s.tablet:
        await d.hears("roster_update", lambda i: i["roster"]["items"].get(ROMEO, {}).get("subscription") == "to")
        for contact in s.romeo, s.laptop:
            await d.hears("presence_available", lambda p: p["from"] == contact.boundjid)


@step
async def subscription_back(s):
    s.laptop.send_presence_subscription(JULIET, ptype="subscribe")
    await s.tablet.hears("presence_subscribe", lambda p: p["from"] == ROMEO)
    s.tablet.send_presence_subscription(ROMEO, ptype="subscribed")
    for d, contact in (s.phone, ROMEO), (s.tablet, ROMEO), (s.romeo, JULIET), (s.laptop, JULIET):
        await d.hears("roster_update", lambda i: i["roster"]["items"].get(contact, {}).get("subscription") == "both")
        assert d.client_roster[contact]["subscription"] == "both"


@step
async def roster_item(s):
    await s.phone.update_roster(ROMEO, name="Romeo", groups=["Montagues"], subscription="both")
    await s.tablet.hears("roster_update", lambda i: i["roster"]["items"].get(ROMEO, {}).get("name") == "Romeo")
    assert s.tablet.client_roster[ROMEO]["groups"] == ["Montagues"]


@step
async def contact_capabilities(s):
    await s.phone.hears("verified", lambda jid: jid == s.romeo.boundjid.full)
    caps = await s.phone.plugin["xep_0115"].get_caps(s.romeo.boundjid.full)
    assert "urn:xmpp:ping" in caps["features"], caps


@step
async def ping(s):
    for to in SERVER, JULIET, s.romeo.boundjid:
        await s.phone.ping(to)


@step
async def software_version(s):
    info = (await s.phone.plugin["xep_0092"].get_version(SERVER, timeout=PATIENCE))["software_version"]
    assert info["name"] == "xmppd" and info["version"], info
    info = (await s.phone.plugin["xep_0092"].get_version(s.romeo.boundjid, timeout=PATIENCE))["software_version"]
    assert info["name"] == "Slixmpp", info


@step
async def entity_time(s):
    got = await s.phone.plugin["xep_0202"].get_entity_time(SERVER, timeout=PATIENCE)
    # slixmpp itself neither reads nor answers with the times of XEP-0202: its getters and handlers fail
    then = xep_0082.parse(got.xml.findtext(".//{urn:xmpp:time}utc"))
    assert abs((datetime.now(timezone.utc) - then).total_seconds()) < 60, then
    assert got.xml.findtext(".//{urn:xmpp:time}tzo"), got


@step
async def last_activity(s):
    async def ago(to):
        return (await s.phone.plugin["xep_0012"].get_last_activity(to, timeout=PATIENCE))["last_activity"]["seconds"]
    assert await ago(SERVER) < 600
    assert await ago(ROMEO) == 0
    async with refused("service-unavailable"):
        await ago("nobody@localhost")


@step
async def vcard(s):
    card = s.phone.plugin["xep_0054"].make_vcard()
    card["FN"] = "Juliet Capulet"
    await s.phone.plugin["xep_0054"].publish_vcard(card, timeout=PATIENCE)
    for d, jid in (s.phone, None), (s.tablet, JULIET), (s.romeo, JULIET):
        got = await d.plugin["xep_0054"].get_vcard(jid, local=False, timeout=PATIENCE)
        assert got["vcard_temp"]["FN"] == "Juliet Capulet", got
    async with refused("service-unavailable"):
        await s.phone.plugin["xep_0054"].get_vcard("nobody@localhost", timeout=PATIENCE)


@step
async def avatar(s):
    await s.phone.plugin["xep_0153"].set_avatar(JULIET, avatar=PICTURE, mtype="image/png")
    want = hashlib.sha1(PICTURE).hexdigest()
    await s.romeo.hears("vcard_avatar_update", lambda p: p["vcard_temp_update"]["photo"] == want)
    s.tablet.send_presence(pstatus="whose client says nothing of pictures")
    await s.romeo.hears("vcard_avatar_update",
                        lambda p: p["from"] == s.tablet.boundjid and p["vcard_temp_update"]["photo"] == want)
    got = await s.romeo.plugin["xep_0054"].get_vcard(JULIET, timeout=PATIENCE)
    assert got["vcard_temp"]["FN"] == "Juliet Capulet" and got["vcard_temp"]["PHOTO"]["BINVAL"] == PICTURE, got


@step
async def private_xml(s):
    marks = Bookmarks()
    marks.add_conference("verona@rooms.example.org", "Juliet", autojoin=True)
    await s.phone.plugin["xep_0048"].set_bookmarks(marks, timeout=PATIENCE)
    got = (await s.tablet.plugin["xep_0048"].get_bookmarks(timeout=PATIENCE))["private"]["bookmarks"]
    assert [c["jid"] for c in got["conferences"]] == ["verona@rooms.example.org"], got
    assert not len((await s.romeo.plugin["xep_0048"].get_bookmarks(timeout=PATIENCE))["private"]["bookmarks"]["conferences"])


@step
async def carbons(s):
    await s.tablet.plugin["xep_0280"].enable(timeout=PATIENCE)
    s.romeo.send_message(s.phone.boundjid, "to the phone", mtype="chat")
    await s.phone.hears("message", lambda m: m["body"] == "to the phone")
    copy = await s.tablet.hears("carbon_received")
    assert copy["carbon_received"]["body"] == "to the phone", copy
    s.phone.send_message(s.romeo.boundjid, "from the phone", mtype="chat")
    await s.romeo.hears("message", lambda m: m["body"] == "from the phone")
    copy = await s.tablet.hears("carbon_sent")
    assert copy["carbon_sent"]["to"] == s.romeo.boundjid and copy["carbon_sent"]["body"] == "from the phone", copy
    assert not any(d.has_heard("carbon_received") or d.has_heard("carbon_sent") for d in s.all)


@step
async def client_state(s):
    assert s.tablet.plugin["xep_0352"].enabled
    s.tablet.plugin["xep_0352"].send_inactive()
    await s.tablet.ping(SERVER)
    s.romeo.send_presence(pshow="away", pstatus="one")
    s.romeo.send_presence(pshow="away", pstatus="two")
    await s.phone.hears("presence_away", lambda p: p["status"] == "two")
    assert not s.tablet.has_heard("presence_away")
    s.tablet.plugin["xep_0352"].send_active()
    await s.tablet.hears("presence_away", lambda p: p["status"] == "two")
    assert not s.tablet.has_heard("presence_away", lambda p: p["status"] == "one")


@step
async def blocking(s):
    def listed(iq):
        return [item.get("jid") for item in iq.xml.iter("{urn:xmpp:blocking}item")]
    assert listed(await s.phone.plugin["xep_0191"].get_blocked(timeout=PATIENCE)) == []
    assert listed(await s.tablet.plugin["xep_0191"].get_blocked(timeout=PATIENCE)) == []  # who asks hears of changes
    await s.phone.plugin["xep_0191"].block(ROMEO, timeout=PATIENCE)
    assert listed(await s.tablet.hears("blocked")) == [ROMEO]
    for d in s.phone, s.tablet:
        await s.romeo.hears("presence_unavailable", lambda p: p["from"] == d.boundjid)
    assert listed(await s.tablet.plugin["xep_0191"].get_blocked(timeout=PATIENCE)) == [ROMEO]
    s.romeo.send_message(JULIET, "do you hear me?", mtype="chat")
    bounced = await s.romeo.hears("message_error")
    assert bounced["error"]["condition"] == "service-unavailable", bounced
    s.phone.send_message(ROMEO, "no", mtype="chat")
    bounced = await s.phone.hears("message_error")
    assert bounced["error"]["condition"] == "not-acceptable", bounced
    assert bounced.xml.find(".//{urn:xmpp:blocking:errors}blocked") is not None, bounced


@step
async def unblocking(s):
    await s.tablet.plugin["xep_0191"].unblock(ROMEO, timeout=PATIENCE)
    await s.phone.hears("unblocked")
    for d in s.phone, s.tablet:
        await s.romeo.hears("presence_available", lambda p: p["from"] == d.boundjid)
    s.romeo.send_message(s.phone.boundjid, "and now?", mtype="chat")
    await s.phone.hears("message", lambda m: m["body"] == "and now?")
    assert not any(d.has_heard("message", lambda m: m["body"] in ("do you hear me?", "no")) for d in s.all)


@step
async def offline_message(s):
    for d in s.romeo, s.laptop:
        await d.offline("gone to Mantua")
        await s.phone.hears("presence_unavailable", lambda p: p["from"] == d.boundjid and p["status"] == "gone to Mantua")
    s.phone.send_message(ROMEO, "come back", mtype="chat")
    await s.phone.ping(SERVER)
    last = await s.phone.plugin["xep_0012"].get_last_activity(ROMEO, timeout=PATIENCE)
    assert last["last_activity"]["status"] == "gone to Mantua", last
    s.romeo = await Device(s.place, ROMEO + "/mantua", s.password).online()
    m = await s.romeo.hears("message", lambda m: m["body"] == "come back")
    assert m["delay"]["stamp"] and m["delay"]["from"] == SERVER, m
    assert m["from"] == s.phone.boundjid, m


@step
async def roster_removal(s):
    await s.phone.del_roster_item(ROMEO)
    await s.tablet.hears("roster_update", lambda i: i["roster"]["items"].get(ROMEO, {}).get("subscription") == "remove")
    await s.romeo.hears("presence_unsubscribe", lambda p: p["from"] == JULIET)
    await s.romeo.hears("presence_unsubscribed", lambda p: p["from"] == JULIET)
    await s.romeo.hears("presence_unavailable", lambda p: p["from"] == s.phone.boundjid)


@step
async def goodbye(s):
    for d in s.phone, s.tablet, s.romeo:
        await d.offline()


server, ca, password = sys.argv[1:]
report.run(SimpleNamespace(place=place(server, ca), password=password))

//go:build unix

package interop

import "strings"

// set is a roster set with these items.
func set(id, items string) string {
	return "<iq type='set' id='" + id + "'><query xmlns='jabber:iq:roster'>" + items + "</query></iq>"
}

const getRoster = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>"

var rosterScenarios = []scenario{
	{"an empty roster is an empty query", "2.1.4", func(w *world) {
		w.login("juliet/balcony")
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query]")
	}},
	{"the roster can be asked of the account by its address", "2.6.2", func(w *world) {
		w.login("juliet/balcony")
		w.says("juliet/balcony", "<iq type='get' id='get' to='juliet@example.org'><query xmlns='jabber:iq:roster'/></iq>")
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query]")
	}},
	{"a new item is pushed to all interested resources and to no others", "2.3.2", func(w *world) {
		w.interested("juliet/balcony", "juliet/chamber")
		w.login("juliet/window", "juliet/door")
		w.available("juliet/window", "")
		w.says("juliet/balcony", set("s", "<item jid='nurse@example.org' name='Nurse'><group>Servants</group></item>"))
		w.expect("set", `
			juliet/balcony < iq from=juliet id=s type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse name=Nurse subscription=none [group "Servants"]]]
			juliet/chamber < iq from=juliet type=set [roster:query [item jid=nurse name=Nurse subscription=none [group "Servants"]]]`)
		w.says("juliet/door", getRoster)
		w.expect("get", `juliet/door < iq from=juliet id=get type=result [roster:query [item jid=nurse name=Nurse subscription=none [group "Servants"]]]`)
	}},
	{"a resource need not be interested to change the roster", "2.3.2", func(w *world) {
		w.interested("juliet/balcony")
		w.login("juliet/door")
		w.says("juliet/door", set("s", "<item jid='nurse@example.org'/>"))
		w.expect("set", `
			juliet/door < iq from=juliet id=s type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse subscription=none]]`)
	}},
	{"a resource that has gone unavailable is still interested", "2.2", func(w *world) {
		w.online("juliet/balcony")
		w.says("juliet/balcony", "<presence type='unavailable'/>")
		w.drain()
		w.says("juliet/balcony", set("s", "<item jid='nurse@example.org'/>"))
		w.expect("set", `
			juliet/balcony < iq from=juliet id=s type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse subscription=none]]`)
	}},
	{"an item becomes exactly what an update says", "2.4.1", func(w *world) {
		w.interested("juliet/balcony")
		w.says("juliet/balcony", set("s1", "<item jid='romeo@example.org' name='Romeo'><group>Friends</group></item>"))
		w.drain()
		w.says("juliet/balcony", set("s2", "<item jid='romeo@example.org' name='MyRomeo'><group>Friends</group><group>Lovers</group></item>"))
		w.expect("another name and a group more", `
			juliet/balcony < iq from=juliet id=s2 type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo name=MyRomeo subscription=none [group "Friends"] [group "Lovers"]]]`)
		w.says("juliet/balcony", set("s3", "<item jid='romeo@example.org'><group>Lovers</group></item>"))
		w.expect("no name and a group less", `
			juliet/balcony < iq from=juliet id=s3 type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=none [group "Lovers"]]]`)
		w.says("juliet/balcony", set("s4", "<item jid='romeo@example.org' name=''/>"))
		w.expect("an empty name and no group", `
			juliet/balcony < iq from=juliet id=s4 type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=none]]`)
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query [item jid=romeo subscription=none]]")
	}},
	{"an update does not touch the subscription", "2.1.2.5", func(w *world) {
		w.friends("juliet", "romeo")
		w.interested("juliet/balcony")
		w.says("juliet/balcony", set("s", "<item jid='romeo@example.org' name='Romeo'/>"))
		w.expect("without a subscription", `
			juliet/balcony < iq from=juliet id=s type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo name=Romeo subscription=both]]`)
		w.says("juliet/balcony", set("t", "<item jid='romeo@example.org' name='Romeo' subscription='none'/>"))
		w.expect("with another subscription", `
			juliet/balcony < iq from=juliet id=t type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo name=Romeo subscription=both]]`)
	}},
	{"clients cannot set a subscription", "2.1.5", func(w *world) {
		w.interested("juliet/balcony")
		for _, subscription := range []string{"both", "to", "from", "none"} {
			w.says("juliet/balcony", set(subscription, "<item jid='"+subscription+"@example.org' subscription='"+subscription+"'/>"))
			w.expect(subscription, `
				juliet/balcony < iq from=juliet id=`+subscription+` type=result
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=`+subscription+` subscription=none]]`)
		}
	}},
	{"two items at once are refused", "2.3.3", func(w *world) {
		w.interested("juliet/balcony")
		w.says("juliet/balcony", set("s", "<item jid='nurse@example.org'/><item jid='mother@example.org'/>"))
		w.expect("set", "juliet/balcony < iq from=juliet id=s type=error modify/bad-request")
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query]")
	}},
	{"a group twice is refused", "2.3.3", func(w *world) {
		w.interested("juliet/balcony")
		w.says("juliet/balcony", set("s", "<item jid='nurse@example.org'><group>Servants</group><group>Servants</group></item>"))
		w.expect("set", "juliet/balcony < iq from=juliet id=s type=error modify/bad-request")
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query]")
	}},
	{"a group without a name is refused", "2.3.3", func(w *world) {
		w.interested("juliet/balcony")
		w.says("juliet/balcony", set("s", "<item jid='nurse@example.org'><group></group></item>"))
		w.expect("set", "juliet/balcony < iq from=juliet id=s type=error modify/not-acceptable")
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query]")
	}},
	{"names have limits of the server's choice", "2.3.3", func(w *world) {
		w.interested("juliet/balcony")
		long := strings.Repeat("x", 5000)
		w.says("juliet/balcony", set("s", "<item jid='nurse@example.org' name='"+long+"'/>"))
		w.expect("a name", "juliet/balcony < iq from=juliet id=s type=error modify/not-acceptable", `
			juliet/balcony < iq from=juliet id=s type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse name=`+long[:60]+` subscription=none]]`)
		w.says("juliet/balcony", set("t", "<item jid='mother@example.org'><group>"+long+"</group></item>"))
		w.expect("a group", "juliet/balcony < iq from=juliet id=t type=error modify/not-acceptable", `
			juliet/balcony < iq from=juliet id=t type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=mother subscription=none [group "`+long[:40]+`"]]]`)
	}},
	{"nobody changes the roster of another account", "2.3.3", func(w *world) {
		w.friends("juliet", "romeo")
		w.online("juliet/balcony", "romeo/orchard")
		w.says("romeo/orchard", "<iq type='set' id='s' to='juliet@example.org'><query xmlns='jabber:iq:roster'><item jid='nurse@example.org'/></query></iq>")
		w.expect("set", "romeo/orchard < iq from=juliet id=s type=error auth/forbidden")
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query [item jid=romeo subscription=both]]")
	}},
	{"an item is removed and pushed as removed", "2.5.2", func(w *world) {
		w.interested("juliet/balcony", "juliet/chamber")
		w.says("juliet/balcony", set("s", "<item jid='nurse@example.org' name='Nurse'><group>Servants</group></item>"))
		w.drain()
		w.says("juliet/balcony", set("r", "<item jid='nurse@example.org' subscription='remove'/>"))
		w.expect("remove", `
			juliet/balcony < iq from=juliet id=r type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse subscription=remove]]
			juliet/chamber < iq from=juliet type=set [roster:query [item jid=nurse subscription=remove]]`)
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query]")
	}},
	{"what is not in the roster cannot be removed", "2.5.3", func(w *world) {
		w.interested("juliet/balcony")
		w.says("juliet/balcony", set("r", "<item jid='nurse@example.org' subscription='remove'/>"))
		w.expect("remove",
			"juliet/balcony < iq from=juliet id=r type=error modify/item-not-found", // as in the example there
			"juliet/balcony < iq from=juliet id=r type=error cancel/item-not-found") // as RFC 6120 §8.3.3.7 has it
	}},
	{"removing a friend ends both subscriptions", "2.5.2", func(w *world) {
		w.friends("juliet", "romeo")
		w.online("juliet/balcony", "romeo/orchard")
		w.says("juliet/balcony", set("r", "<item jid='romeo@example.org' subscription='remove'/>"))
		juliet := `
			juliet/balcony < iq from=juliet id=r type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
			juliet/balcony < presence from=romeo/orchard type=unavailable`
		w.expect("remove", juliet+`
			romeo/orchard < presence from=juliet type=unsubscribe
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
			romeo/orchard < presence from=juliet/balcony type=unavailable
			romeo/orchard < presence from=juliet type=unsubscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]`, juliet+`
			romeo/orchard < presence from=juliet/balcony type=unavailable
			romeo/orchard < presence from=juliet type=unsubscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=from]]
			romeo/orchard < presence from=juliet type=unsubscribe
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]`)
		w.available("romeo/orchard", "<show>away</show>")
		w.says("romeo/orchard", getRoster)
		w.expect("get", "romeo/orchard < iq from=romeo id=get type=result [roster:query [item jid=juliet subscription=none]]")
	}},
	{"removing a contact whom one sees unsubscribes", "2.5.2", func(w *world) {
		w.subscribed("juliet", "romeo")
		w.online("juliet/balcony", "romeo/orchard")
		w.says("juliet/balcony", set("r", "<item jid='romeo@example.org' subscription='remove'/>"))
		w.expect("remove", `
			juliet/balcony < iq from=juliet id=r type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
			juliet/balcony < presence from=romeo/orchard type=unavailable
			romeo/orchard < presence from=juliet type=unsubscribe
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]`)
	}},
	{"removing a contact by whom one is seen cancels that", "2.5.2", func(w *world) {
		w.subscribed("romeo", "juliet")
		w.online("juliet/balcony", "romeo/orchard")
		w.says("juliet/balcony", set("r", "<item jid='romeo@example.org' subscription='remove'/>"))
		w.expect("remove", `
			juliet/balcony < iq from=juliet id=r type=result
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
			romeo/orchard < presence from=juliet/balcony type=unavailable
			romeo/orchard < presence from=juliet type=unsubscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]`)
	}},
}

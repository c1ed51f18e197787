// Package roster manages the contacts of an account, which its server keeps
// (RFC 6121 §2).
//
// # Once
//
// [Get] fetches the roster, [Set] adds or updates an item, [Delete] removes
// one:
//
//	all, err := roster.Get(ctx, s)
//	…
//	err = roster.Set(ctx, s, roster.Item{JID: nurse, Name: "Nurse", Groups: []string{"Servants"}})
//
// # Live
//
// A [List] follows the roster: it is loaded once for each stream and kept
// current by the server's pushes.
//
//	contacts := roster.NewList(nil)
//	contacts.Register(mux)
//	bot, err := client.Dial(ctx, account, &client.Options{Password: password, Handler: mux})
//	…
//	err = contacts.Load(ctx, bot) // before initial presence (§2.2)
//	for item := range contacts.All() {
//		fmt.Println(item.JID, item.Name, item.Subscription)
//	}
//
// [Register] is for a program that wants the pushes themselves.
//
// # Trust
//
// A push counts only when it comes from the account itself: without a from
// address, or from the own bare JID. Any other is a forgery; it changes nothing
// and is answered with service-unavailable (§2.1.6).
//
// # Subscriptions
//
// Who sees whose presence is shown here and changed elsewhere, by package
// presence: a client's roster set carries the address, the name and the groups,
// nothing else.
//
// # Servers
//
// [Query] and [Item] write and read every attribute, those only a server sets
// included. [Query.Change] and [Item.Check] hold the rules for a set.
package roster

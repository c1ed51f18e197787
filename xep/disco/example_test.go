package disco_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

func ExampleGetInfo() {
	// In a program, s is a client or a component.
	s := answering{answer: func(string) (string, error) {
		return `<iq type='result' id='q1' from='upload.example.org'><query xmlns='http://jabber.org/protocol/disco#info'>` +
			`<identity category='store' type='file' name='Files'/><feature var='urn:xmpp:http:upload:0'/></query></iq>`, nil
	}}

	info, err := disco.GetInfo(context.Background(), s, jid.MustParse("upload.example.org"), "")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Is("store", "file"), info.Has("urn:xmpp:http:upload:0"), info.Identities[0].Name)
	// Output: true true Files
}

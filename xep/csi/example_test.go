package csi_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/xep/csi"
)

func Example() {
	mux := muxer.New() // of the client
	state := csi.New()
	state.Register(mux)

	c := &session{features: "<csi xmlns='urn:xmpp:csi:0'/>"} // in a program, a client
	if err := state.Set(context.Background(), c, false); err != nil {
		fmt.Println(err)
	}
	fmt.Println(c.sent)
	// Output: [<inactive xmlns='urn:xmpp:csi:0'/>]
}

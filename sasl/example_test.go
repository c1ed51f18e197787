package sasl_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/sasl"
)

// store keeps what a server needs of its passwords, for one hash function.
type store map[string]sasl.Secrets

func (store) SCRAMHashes() []sasl.Hash { return []sasl.Hash{sasl.SHA256} }

func (s store) SCRAMSecrets(_ context.Context, username string, _ sasl.Hash) (sasl.Secrets, error) {
	secrets, ok := s[username]
	if !ok {
		return sasl.Secrets{}, sasl.ErrNotAuthorized
	}
	return secrets, nil
}

// authenticate runs an exchange in memory. Elsewhere, every message between the
// two crosses a wire.
func authenticate(client sasl.Client, server sasl.Server) (sasl.Identity, error) {
	response, err := client.Start()
	if err != nil {
		return sasl.Identity{}, err
	}
	for {
		challenge, done, err := server.Next(context.Background(), response)
		if err != nil {
			return sasl.Identity{}, err
		}
		if done {
			return server.Identity(), client.Finish(challenge)
		}
		if response, err = client.Next(challenge); err != nil {
			return sasl.Identity{}, err
		}
	}
}

func Example() {
	secrets, err := sasl.NewSecrets(sasl.SHA256, "r0m30myr0m30", 0) // when the password is set
	if err != nil {
		fmt.Println(err)
		return
	}
	auth, err := sasl.NewAuthenticator(store{"juliet": secrets}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	offer := auth.Offer(nil) // a channel in clear text
	fmt.Println("offered:", offer.Mechanisms)

	for _, password := range []string{"r0m30myr0m30", "guess"} {
		client, err := sasl.Select(offer, &sasl.Credentials{Username: "juliet", Password: password}, nil, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		server, err := auth.Start(client.Name(), offer, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		identity, err := authenticate(client, server)
		if condition, ok := errors.AsType[sasl.Condition](err); ok {
			fmt.Println("failure:", string(condition))
			continue
		}
		fmt.Println("success:", identity.Username)
	}
	// Output:
	// offered: [SCRAM-SHA-256]
	// success: juliet
	// failure: not-authorized
}

func ExampleSelect() {
	offer := sasl.Offer{Mechanisms: []string{"DIGEST-MD5", "PLAIN"}}
	_, err := sasl.Select(offer, &sasl.Credentials{Username: "juliet", Password: "secret"}, nil, nil)
	fmt.Println(errors.Is(err, sasl.ErrNoMechanism))
	fmt.Println(err)
	// Output:
	// true
	// sasl: no usable mechanism: offered: PLAIN (not allowed by policy), "DIGEST-MD5"
}

func ExampleSecrets_Verify() {
	secrets, err := sasl.NewSecrets(sasl.SHA512, "correct horse", 0)
	fmt.Println(secrets, err) // the keys are not printed
	fmt.Println(secrets.Verify("correct horse"), secrets.Verify("battery staple"))
	// Output:
	// sasl.Secrets{SHA-512, 10000 iterations} <nil>
	// true false
}

package disco

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// GetInfo asks the entity at address to, or a node of it, for its identities
// and features (§3). The zero address is the account's own.
//
// An error answer is a [*stanza.Error]: [stanza.ItemNotFound] when there is no
// such entity or node, [stanza.ServiceUnavailable] when it does not answer such
// questions or not ours (§7).
func GetInfo(ctx context.Context, s xmpp.Session, to jid.JID, node string) (Info, error) {
	var info Info
	if err := get(ctx, s, to, Info{Node: node}, &info); err != nil {
		return Info{}, fmt.Errorf("disco: info of %s: %w", describe(to, node), err)
	}
	return info, nil
}

// GetItems asks the entity at address to, or a node of it, for what belongs to
// it (§4), in one request. The zero address is the account's own. Errors are as
// for [GetInfo]; to have no items is none.
func GetItems(ctx context.Context, s xmpp.Session, to jid.JID, node string) (Items, error) {
	var items Items
	if err := get(ctx, s, to, Items{Node: node}, &items); err != nil {
		return Items{}, fmt.Errorf("disco: items of %s: %w", describe(to, node), err)
	}
	return items, nil
}

func get(ctx context.Context, s xmpp.Session, to jid.JID, request stanza.Payload, answer stanza.Decoder) error {
	result, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: to, Payload: request})
	if err != nil {
		return err
	}
	return result.Decode(answer)
}

// describe names the object of a request in an error.
func describe(to jid.JID, node string) string {
	who := to.String()
	if to.IsZero() {
		who = "the own account"
	}
	if node != "" {
		return fmt.Sprintf("%s, node %.100q", who, node)
	}
	return who
}

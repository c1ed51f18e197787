package server

import (
	"testing"
)

func TestC7_7_1_ClientSubmittedResource(t *testing.T) {
	h := newHouse(t, []string{"juliet"})
	c := h.login("juliet", "balcony")
	if got, want := c.addr.String(), "juliet@capulet.example/balcony"; got != want {
		t.Errorf("bound to %s, want %s", got, want)
	}
	c.expect()
	c.close()
}

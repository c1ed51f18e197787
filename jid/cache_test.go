package jid

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

func TestCache(t *testing.T) {
	var c Cache
	for _, in := range []string{
		"juliet@example.com/balcony", "Juliet@EXAMPLE.com/balcony", "example.com", "", "@", "a@", "/r", "juliet@example.com/",
		"room@chat.example.com/ nick", "my_host", strings.Repeat("x", 300) + "@example.com", strings.Repeat("x", 1024) + "@example.com",
	} {
		for range 3 { // unknown, known, known
			for _, parse := range []struct {
				name    string
				got, by func(string) (JID, error)
			}{{"Parse", c.Parse, Parse}, {"ParseLenient", c.ParseLenient, ParseLenient}, {"Parse", c.Parse, Parse}} {
				got, err := parse.got(in)
				want, wantErr := parse.by(in)
				if got != want || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Errorf("%s(%.40q) = %v, %v; want %v, %v", parse.name, in, got, err, want, wantErr)
				}
			}
		}
	}
}

// What is remembered does not change when the memory does that it was read from.
func TestCacheCopies(t *testing.T) {
	var c Cache
	b := []byte("juliet@example.com/balcony")
	s := unsafe.String(&b[0], len(b))
	j, err := c.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := c.Parse(s)
	copy(b, "romeo@")
	if j.String() != "juliet@example.com/balcony" || again != j {
		t.Errorf("now they are %v and %v", j, again)
	}
	if j, err := c.Parse("juliet@example.com/balcony"); err != nil || j.String() != "juliet@example.com/balcony" {
		t.Errorf("got %v, %v", j, err)
	}
}

func TestCacheAllocs(t *testing.T) {
	var c Cache
	for _, in := range []string{"juliet@example.com/balcony", "room@chat.example.com/Жульетта"} {
		if _, err := c.Parse(in); err != nil {
			t.Fatal(err)
		}
		if got := testing.AllocsPerRun(100, func() { sink, _ = c.Parse(in) }); got != 0 {
			t.Errorf("%s: %v allocations", in, got)
		}
	}
}

func BenchmarkCache(b *testing.B) {
	var c Cache
	b.ReportAllocs()
	for b.Loop() {
		sink, _ = c.Parse("juliet@example.com/balcony")
	}
}

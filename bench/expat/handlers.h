#ifndef HANDLERS_H
#define HANDLERS_H

#include <stddef.h>
#include <expat.h>

/* What a stream's handlers have seen. */
struct counts {
	long long elements, ends, attrs, text;
};

/* A stream of one unit after another, for ever. */
struct feeder {
	XML_Parser parser;
	struct counts counts;
	char *ring;     /* the unit over and over, so that a read may begin anywhere in it */
	size_t unit;    /* its length */
	size_t at;      /* where in it the next read begins */
};

/* A document as a sequence of events, with control characters, which cannot
 * occur in XML, in front of each piece. */
struct record {
	XML_Parser parser;
	char *buf;
	size_t len, cap;
	int failed; /* out of memory */
};

enum { START = 1, ATTR = 2, VALUE = 3, END = 4, TEXT = 5 };

/* What stands between a namespace and a local name: a form feed, no character of XML. */
enum { SEPARATOR = '\f' };

/* The bytes that one call of XML_Parse is given at most: those of a large TLS record. */
enum { CHUNK = 16 * 1024 };

int feeder_open(struct feeder *f, const char *header, size_t header_len, const char *unit, size_t unit_len);
int feeder_feed(struct feeder *f, long long units);
void feeder_close(struct feeder *f);

int record_parse(struct record *r, const char *doc, size_t len);
void record_close(struct record *r);

#endif

/*
 * siphash.h - SipHash-1-3 (Aumasson, Bernstein, 2012, with the shorter rounds that hash tables use). Under a secret key
 * nobody can choose texts that collide; under a known one it is a checksum. Pure.
 */
#ifndef POSTERN_SIPHASH_H
#define POSTERN_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16

/* The same on every machine. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY], const void *data, size_t len);

#endif

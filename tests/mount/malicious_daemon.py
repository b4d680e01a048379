#!/usr/bin/env python3
"""malicious_daemon.py SIGNER KEYS: talk to a signer as no daemon would.

Each attempt to get a signature that would contradict an earlier one, or that has
no ticket or no proof, must be refused, and the signer must answer afterwards.
"""
import base64
import hashlib
import hmac
import os
import struct
import subprocess
import sys

signer = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE)


def read(n):
    out = b''
    while len(out) < n:
        part = signer.stdout.read(n - len(out))
        assert part, 'the signer is dead'
        out += part
    return out


def raw(frame):
    signer.stdin.write(frame)
    signer.stdin.flush()
    return read(struct.unpack('>I', read(4))[0])


def ask(*lines):
    text = b''.join(x if isinstance(x, bytes) else str(x).encode() + b'\n'
                    for x in lines)
    return raw(struct.pack('>I', len(text)) + text).split(b'\n')


def b64(b):
    return base64.b64encode(b).decode()


def node(a, b):
    return hashlib.sha256(b'\1' + a + b).digest()


# Two logs that differ in leaf 0.
def leaf(i, other):
    return hashlib.sha256(b'\0%d%d' % (i, other and i == 0)).digest()


def root(n, other=False, first=0):
    if n == 1:
        return leaf(first, other)
    k = 1
    while 2 * k < n:
        k *= 2
    return node(root(k, other, first), root(n - k, other, first + k))


def consistency(m, n, other=False, first=0, whole=True):
    if m == n:
        return [] if whole else [root(n, other, first)]
    k = 1
    while 2 * k < n:
        k *= 2
    if m <= k:
        return (consistency(m, k, other, first, whole) +
                [root(n - k, other, first + k)])
    return (consistency(m - k, n - k, other, first + k, False) +
            [root(k, other, first)])


ORIGIN = 'example.org/vault'


def prepare(n, other=False, origin=ORIGIN):
    return ask('prepare', origin, n, b64(root(n, other)))


def sign(n, last, ticket, other=False, proof=None, origin=ORIGIN):
    if proof is None:
        proof = consistency(last, n, other) if last else []
    return ask('checkpoint', origin, n, b64(root(n, other)), ticket, last,
               *[b64(h) for h in proof])


def must(word, answer):
    assert answer[0] == word.encode(), (word, answer)


# What a daemon does.
must('ok', ask('keys', 1))
tickets = {}
for n in (5, 6, 7, 9):
    answer = prepare(n)
    must('ok', answer)
    tickets[n] = answer[1].decode()
must('ok', sign(5, 0, tickets[5]))
must('ok', sign(7, 5, tickets[7]))
must('ok', sign(7, 7, tickets[7]))  # the same again

# Going back, and a second root for one size.
must('refused', sign(6, 7, tickets[6], proof=[]))
must('refused', prepare(6))
must('refused', prepare(7, other=True))
# A fork: the ticket is right, the tree does not begin with the signed one.
fork = prepare(9, other=True)[1].decode()
must('refused', sign(9, 7, fork, other=True))
must('refused', sign(9, 7, fork, other=True, proof=consistency(7, 9)))
must('refused', sign(9, 7, fork, other=True, proof=[]))
must('refused', sign(9, 7, fork, other=True, proof=[bytes(32)] * 64))
must('invalid', sign(9, 7, fork, other=True, proof=[bytes(32)] * 65))
must('stale', sign(9, 0, fork, other=True, proof=[]))
must('stale', sign(9, 5, tickets[9]))
# Without a ticket, or with another one.
for bad in (b64(bytes(32)), tickets[7], fork,
            b64(hmac.new(b'', b'x', hashlib.sha256).digest())):
    must('refused', sign(9, 7, bad))
for bad in ('', 'x', tickets[9] + '=', b64(bytes(31)), b64(bytes(33))):
    must('invalid', sign(9, 7, bad))
# Sizes and origins that are none.
for size in (-1, 1 << 63, 1 << 64, '07', '', ' 7', '7 ', 'x'):
    must('invalid', ask('prepare', ORIGIN, size, b64(bytes(32))))
must('invalid', ask('prepare', ORIGIN, 0, b64(bytes(32))))
for origin in ('', 'a b', 'x' * 129, '\0', 'cosignature/v1'):
    must('invalid', ask('prepare', origin, 9, b64(bytes(32))))
# The attester's key signs statements, and nothing that looks like a checkpoint.
must('invalid', ask('statement', b'example.org/vault\n9\nAAAA\n'))
must('invalid', ask('statement', b''))
must('ok', ask('statement', b'DSSEv1 1 a 1 b'))
# Garbage.
for text in (b'', b'\n', b'nothing\n', b'keys', b'keys\n', b'keys\n2\n',
             b'keys\n1\nmore\n', b'last\n', b'checkpoint\n' * 1000,
             b'\0' * 4096, os.urandom(65536)):
    answer = raw(struct.pack('>I', len(text)) + text)
    assert answer.startswith(b'invalid\n'), answer
# A length that nobody may have: the signer takes no memory for it.
too_long = (4 << 20) + 1
answer = raw(struct.pack('>I', too_long) + bytes(too_long))
assert answer.startswith(b'invalid\n'), answer
# After all that it goes on where it was.
must('ok', ask('last', ORIGIN))
assert ask('last', ORIGIN)[1] == b'7'
must('ok', sign(9, 7, tickets[9]))
# An origin that came later ends the one before it.
other = prepare(3, origin=ORIGIN + '/2')[1].decode()
must('ok', sign(3, 0, other, origin=ORIGIN + '/2'))
must('refused', prepare(10))

# The end in the middle of a length of 4 GiB: nothing is left.
signer.stdin.write(b'\xff\xff\xff\xff' + bytes(100000))
signer.stdin.close()
assert signer.wait(timeout=60) == 0
print('all refused')

package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// judged is what came of one receipt: Error is empty when it holds.
type judged struct {
	File  string `json:"file"`
	Index int64  `json:"index"`
	Size  int64  `json:"size"`
	// SHA-256 of the statement, as the entry has it.
	PayloadHash string `json:"payloadHash"`
	Error       string `json:"error"`
}

// judgeReceipts verifies offline receipts, each from its file and the log's key alone: C2SP tlog-proofs that carry their entry, and Sigstore bundles.
func judgeReceipts(vkey string, files []string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	results := []judged{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var found judged
		if bytes.HasPrefix(data, []byte("{")) {
			found, err = judgeBundle(data, verifier)
		} else {
			found, err = judgeProof(string(data), verifier)
		}
		found.File = file
		if err != nil {
			found.Error = err.Error()
		}
		results = append(results, found)
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}

func judgeProof(text string, verifier note.Verifier) (judged, error) {
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return judged{}, errors.New("not a tlog-proof that carries its entry")
	}
	extra, isExtra := strings.CutPrefix(lines[1], "extra ")
	index, isIndex := strings.CutPrefix(lines[2], "index ")
	if !isExtra || !isIndex {
		return judged{}, errors.New("no extra line or no index line")
	}
	entry, err := base64.StdEncoding.Strict().DecodeString(extra)
	if err != nil {
		return judged{}, err
	}
	return judgeEntry(entry, index, lines[3:], checkpoint, verifier)
}

func judgeEntry(entry []byte, index string, proof []string, checkpoint string, verifier note.Verifier) (judged, error) {
	var found judged
	n, err := strconv.ParseInt(index, 10, 64)
	if err != nil {
		return found, err
	}
	opened, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil {
		return found, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return found, fmt.Errorf("the checkpoint is of %q", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return found, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return found, err
	}
	hashes, err := decode(proof)
	if err != nil {
		return found, err
	}
	if n < 0 || n >= size {
		return found, fmt.Errorf("index %d is not in a tree of %d", n, size)
	}
	if err := tlog.CheckRecord(hashes, size, root, n, tlog.RecordHash(entry)); err != nil {
		return found, err
	}
	body, err := readBody(entry)
	if err != nil {
		return found, err
	}
	return judged{Index: n, Size: size, PayloadHash: hex.EncodeToString(body.payloadHash)}, nil
}

type body struct {
	payloadHash, signature []byte
	publicKey              ed25519.PublicKey
}

// spkiPrefix stands before the 32 bytes of every Ed25519 key in PKIX form (RFC 8410).
var spkiPrefix, _ = hex.DecodeString("302a300506032b6570032100")

func readBody(entry []byte) (body, error) {
	var parsed struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Spec       struct {
			Dsse struct {
				PayloadHash struct {
					Algorithm string `json:"algorithm"`
					Digest    []byte `json:"digest"`
				} `json:"payloadHash"`
				Signatures []struct {
					Content  []byte `json:"content"`
					Verifier struct {
						PublicKey struct {
							RawBytes []byte `json:"rawBytes"`
						} `json:"publicKey"`
					} `json:"verifier"`
				} `json:"signatures"`
			} `json:"dsseV002"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(entry, &parsed); err != nil {
		return body{}, err
	}
	dsse := parsed.Spec.Dsse
	if parsed.APIVersion != "0.0.2" || parsed.Kind != "dsse" || dsse.PayloadHash.Algorithm != "SHA2_256" || len(dsse.Signatures) != 1 {
		return body{}, errors.New("the entry is not a dsse 0.0.2 with one signature")
	}
	spki := dsse.Signatures[0].Verifier.PublicKey.RawBytes
	if len(spki) != len(spkiPrefix)+ed25519.PublicKeySize || !bytes.HasPrefix(spki, spkiPrefix) {
		return body{}, errors.New("the entry's key is not an Ed25519 key")
	}
	return body{dsse.PayloadHash.Digest, dsse.Signatures[0].Content, spki[len(spkiPrefix):]}, nil
}

func judgeBundle(data []byte, verifier note.Verifier) (judged, error) {
	var bundle struct {
		Material struct {
			PublicKey struct {
				Hint string `json:"hint"`
			} `json:"publicKey"`
			Entries []struct {
				KindVersion struct {
					Kind    string `json:"kind"`
					Version string `json:"version"`
				} `json:"kindVersion"`
				Proof struct {
					Index      string   `json:"logIndex"`
					Hashes     []string `json:"hashes"`
					Checkpoint struct {
						Envelope string `json:"envelope"`
					} `json:"checkpoint"`
				} `json:"inclusionProof"`
				Body []byte `json:"canonicalizedBody"`
			} `json:"tlogEntries"`
		} `json:"verificationMaterial"`
		Envelope struct {
			PayloadType string `json:"payloadType"`
			Payload     []byte `json:"payload"`
			Signatures  []struct {
				Sig []byte `json:"sig"`
			} `json:"signatures"`
		} `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(data, &bundle); err != nil {
		return judged{}, err
	}
	envelope := bundle.Envelope
	if len(bundle.Material.Entries) != 1 || len(envelope.Signatures) != 1 {
		return judged{}, errors.New("a bundle must have one entry and one signature")
	}
	entry := bundle.Material.Entries[0]
	found, err := judgeEntry(entry.Body, entry.Proof.Index, entry.Proof.Hashes, entry.Proof.Checkpoint.Envelope, verifier)
	if err != nil {
		return judged{}, err
	}
	logged, err := readBody(entry.Body)
	if err != nil {
		return judged{}, err
	}
	digest := sha256.Sum256(envelope.Payload)
	hint := sha256.Sum256(logged.publicKey)
	switch {
	case entry.KindVersion.Kind != "dsse" || entry.KindVersion.Version != "0.0.2":
		return judged{}, errors.New("the bundle names another kind of entry")
	case !bytes.Equal(digest[:], logged.payloadHash):
		return judged{}, errors.New("the payload is not the one of the entry")
	case !bytes.Equal(envelope.Signatures[0].Sig, logged.signature):
		return judged{}, errors.New("the signature is not the one of the entry")
	case bundle.Material.PublicKey.Hint != hex.EncodeToString(hint[:]):
		return judged{}, errors.New("the hint is of another key")
	case !ed25519.Verify(logged.publicKey, preAuthentication(envelope.PayloadType, envelope.Payload), logged.signature):
		return judged{}, errors.New("the signature does not verify")
	}
	return found, nil
}

// preAuthentication is DSSE's PAE.
func preAuthentication(payloadType string, payload []byte) []byte {
	return []byte(fmt.Sprintf("DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload))
}

<#
.SYNOPSIS
Check an evidence package without the program that made it.

.DESCRIPTION
    pwsh verify.ps1 KEY [DIRECTORY [COSIGNERS]]

This is verify.sh for Windows: the same checks, with nothing but PowerShell 7 (on
Windows, macOS or Linux) or the PowerShell 5.1 that Windows has.  If the system
refuses to run it:

    pwsh -ExecutionPolicy Bypass -File verify.ps1 KEY DIRECTORY

KEY is the log's public key as its owner gave it to you, a line ORIGIN+ID+BASE64; the
one in keys/ came with the package and proves nothing.  Entries key.rotated may
follow it, a line each.  A key that was replaced is followed to the one that signed:
with the entries of the package, and with these.
DIRECTORY is the unpacked package; without it, the one this script is in.
COSIGNERS is a file with the keys (NAME+ID+BASE64) of mirrors and witnesses that you
trust, with white space between them and any other words.  Without it, cosignatures
prove nothing.
Run your own copy: who could change the package could change this file, too.

Exit status: 0 everything below holds, 1 something does not, 2 it could not be
checked.  This script does not check time stamps: verify.sh and trailctl do.

How: the only things believed are KEY and SHA-256.  KEY signs the checkpoint, which
holds the root of the log's tree.  Each proof leads from one ledger entry to that
root.  Path, digest, person and time of a file are read from its entry, never from a
file that merely says so.  Text is kept as bytes, a character for each.
#>
param(
	[Parameter(Mandatory = $true, Position = 0)][string]$Key,
	[Parameter(Position = 1)][string]$Directory = $PSScriptRoot,
	[Parameter(Position = 2)][string]$Cosigners = ''
)
$ErrorActionPreference = 'Stop'

$source = @'
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Trailfs {

/* The package is not what it should be. */
public class Wrong : Exception {
	public Wrong(string s) : base(s) { }
}

/* Nothing can be said about the package. */
public class Unknown : Exception {
	public Unknown(string s) : base(s) { }
}

/* Signatures of RFC 8032, 5.1.7, by arithmetic: they hold no secret. */
public static class Ed25519 {
	static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;
	static readonly BigInteger L = BigInteger.Pow(2, 252) + BigInteger.Parse(
	    "27742317777372353535851937790883648493");
	static readonly BigInteger D = Mod(-121665 * Inverse(121666));
	static readonly BigInteger Root = BigInteger.ModPow(2, (P - 1) / 4, P);

	class Point {
		public BigInteger X, Y, Z, T;
	}
	static readonly Point Base = Decode(Little(4 * Inverse(5)));

	static BigInteger Mod(BigInteger a) {
		a = BigInteger.Remainder(a, P);
		return a.Sign < 0 ? a + P : a;
	}
	static BigInteger Inverse(BigInteger a) {
		return BigInteger.ModPow(a, P - 2, P);
	}
	/* Little-endian, without a sign. */
	static BigInteger Number(byte[] b, int from, int n) {
		var all = new byte[n + 1];
		Array.Copy(b, from, all, 0, n);
		return new BigInteger(all);
	}
	static byte[] Little(BigInteger a) {
		var b = Mod(a).ToByteArray();
		var all = new byte[32];
		Array.Copy(b, all, Math.Min(b.Length, 32));
		return all;
	}
	static Point Add(Point p, Point q) {
		BigInteger a = Mod((p.Y - p.X) * (q.Y - q.X));
		BigInteger b = Mod((p.Y + p.X) * (q.Y + q.X));
		BigInteger c = Mod(Mod(2 * p.T * q.T) * D);
		BigInteger d = Mod(2 * p.Z * q.Z);
		return Of(b - a, d - c, d + c, b + a);
	}
	static Point Twice(Point p) {
		BigInteger a = Mod(p.X * p.X), b = Mod(p.Y * p.Y);
		BigInteger c = Mod(2 * p.Z * p.Z), h = a + b, xy = p.X + p.Y;
		BigInteger e = h - Mod(xy * xy), g = a - b;
		return Of(e, c + g, g, h);
	}
	static Point Of(BigInteger e, BigInteger f, BigInteger g, BigInteger h) {
		var p = new Point();
		p.X = Mod(e * f);
		p.Y = Mod(g * h);
		p.T = Mod(e * h);
		p.Z = Mod(f * g);
		return p;
	}
	/* null: that is no point (5.1.3). */
	static Point Decode(byte[] b) {
		var y = (byte[])b.Clone();
		bool odd = (y[31] & 128) != 0;
		y[31] &= 127;
		var p = new Point();
		p.Y = Number(y, 0, 32);
		if (p.Y >= P)
			return null;
		BigInteger yy = Mod(p.Y * p.Y);
		BigInteger xx = Mod((yy - 1) * Inverse(Mod(D * yy + 1)));
		p.X = BigInteger.ModPow(xx, (P + 3) / 8, P);
		if (Mod(p.X * p.X - xx) != 0)
			p.X = Mod(p.X * Root);
		if (Mod(p.X * p.X - xx) != 0 || (p.X.IsZero && odd))
			return null;
		if (!p.X.IsEven != odd)
			p.X = P - p.X;
		p.Z = 1;
		p.T = Mod(p.X * p.Y);
		return p;
	}
	static bool Bit(byte[] b, int i) {
		return i / 8 < b.Length && (b[i / 8] & 1 << i % 8) != 0;
	}
	/* Is sig the signature of text by the key?  R = S B - k A. */
	public static bool Verify(byte[] key, byte[] text, byte[] sig) {
		if (key.Length != 32 || sig.Length != 64)
			return false;
		BigInteger s = Number(sig, 32, 32);
		Point a = Decode(key);
		if (a == null || s >= L)
			return false;
		a.X = Mod(-a.X);
		a.T = Mod(-a.T);
		var all = new byte[64 + text.Length];
		Array.Copy(sig, all, 32);
		Array.Copy(key, 0, all, 32, 32);
		Array.Copy(text, 0, all, 64, text.Length);
		byte[] hash;
		using (var h = SHA512.Create())
			hash = h.ComputeHash(all);
		byte[] k = (Number(hash, 0, 64) % L).ToByteArray();
		byte[] sb = s.ToByteArray();
		Point both = Add(Base, a), r = new Point();
		r.X = r.T = 0;
		r.Y = r.Z = 1;
		for (int i = 252; i >= 0; i--) {
			bool one = Bit(sb, i), other = Bit(k, i);
			r = Twice(r);
			if (one || other)
				r = Add(r, !other ? Base : !one ? a : both);
		}
		BigInteger z = Inverse(r.Z);
		byte[] got = Little(r.Y * z);
		if (!Mod(r.X * z).IsEven)
			got[31] |= 128;
		for (int i = 0; i < 32; i++)
			if (got[i] != sig[i])
				return false;
		return true;
	}
}

/* A public key: NAME+ID+BASE64 (C2SP signed-note). */
public class PublicKey {
	public string Line, Name;
	public byte[] Id, Key;
	public int Type;

	public static bool Is(string line) {
		return Regex.IsMatch(line,
		    @"\A[A-Za-z0-9._~:/-]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+\z");
	}
	/* null: that is no key. */
	public static PublicKey Read(string line) {
		if (!Is(line))
			return null;
		string[] part = line.Split(new[] { '+' }, 3);
		byte[] raw = Bytes.Base64(part[2] + "===".Substring(
		    (part[2].Length + 3) % 4));
		if (raw == null || raw.Length != 33)
			return null;
		var k = new PublicKey();
		k.Line = line;
		k.Name = part[0];
		k.Type = raw[0];
		k.Key = Bytes.Part(raw, 1, 32);
		k.Id = Bytes.Part(Bytes.Hash(Bytes.Join(
		    Bytes.Of(part[0] + "\n"), raw)), 0, 4);
		return Bytes.Hex(k.Id) == part[1] ? k : null;
	}
	/* What follows the number in the line of this key below a note, or null. */
	public byte[] SignatureOf(string note) {
		int end = note.IndexOf("\n\n", StringComparison.Ordinal);
		if (end < 0)
			return null;
		foreach (string line in note.Substring(end + 2).Split('\n')) {
			string[] part = line.Split(' ');
			if (part.Length != 3 || part[0] != "\u00e2\u0080\u0094" ||
			    part[1] != Name)
				continue;
			byte[] b = Bytes.Base64(part[2]);
			if (b != null && b.Length > 4 &&
			    Bytes.Hex(Bytes.Part(b, 0, 4)) == Bytes.Hex(Id))
				return Bytes.Part(b, 4, b.Length - 4);
		}
		return null;
	}
	public bool Signed(byte[] text, byte[] signature) {
		return signature != null && Ed25519.Verify(Key, text, signature);
	}
}

/* Bytes, and text that has a character for each byte. */
public static class Bytes {
	static readonly Encoding Latin = Encoding.GetEncoding(28591);

	public static byte[] Of(string s) {
		return Latin.GetBytes(s);
	}
	public static string Text(byte[] b) {
		return Latin.GetString(b);
	}
	public static byte[] Part(byte[] b, int from, int n) {
		var r = new byte[n];
		Array.Copy(b, from, r, 0, n);
		return r;
	}
	public static byte[] Join(params byte[][] parts) {
		var m = new MemoryStream();
		foreach (byte[] p in parts)
			m.Write(p, 0, p.Length);
		return m.ToArray();
	}
	[ThreadStatic] static SHA256 sha;
	public static byte[] Hash(byte[] b) {
		if (sha == null)
			sha = SHA256.Create();
		return sha.ComputeHash(b);
	}
	public static string HexHash(byte[] b) {
		return Hex(Hash(b));
	}
	public static string Hex(byte[] b) {
		var s = new StringBuilder(b.Length * 2);
		foreach (byte c in b)
			s.Append("0123456789abcdef"[c >> 4])
			    .Append("0123456789abcdef"[c & 15]);
		return s.ToString();
	}
	public static byte[] FromHex(string s) {
		var b = new byte[s.Length / 2];
		for (int i = 0; i < b.Length; i++)
			b[i] = byte.Parse(s.Substring(2 * i, 2),
			    NumberStyles.AllowHexSpecifier,
			    CultureInfo.InvariantCulture);
		return b;
	}
	/* null: s is not base64 in its one form. */
	public static byte[] Base64(string s) {
		if (s.Length % 4 != 0 || !Regex.IsMatch(s, @"\A[A-Za-z0-9+/]*={0,2}\z"))
			return null;
		byte[] b = Convert.FromBase64String(s);
		return Convert.ToBase64String(b) == s ? b : null;
	}
	/* Has a text no control characters but line feeds? */
	public static bool Plain(byte[] b) {
		foreach (byte c in b)
			if ((c < 32 && c != 10) || c == 127)
				return false;
		return true;
	}
}

public class Package {
	public readonly List<string> Answer = new List<string>();
	public readonly List<string> Complaints = new List<string>();

	readonly Dictionary<string, string> sum = Map(), keep = Map();
	readonly Dictionary<string, string> path_on_disk = Map();
	readonly List<string> beside = new List<string>();
	readonly List<string> shown = new List<string>();
	readonly List<string> whole = new List<string>();
	readonly List<string> vouched = new List<string>();
	readonly List<string> unproven = new List<string>();
	string directory, origin, checkpoint;
	ulong size;
	byte[] root;
	PublicKey key;
	HashSet<string> known;
	int failures;

	static Dictionary<string, string> Map() {
		return new Dictionary<string, string>(StringComparer.Ordinal);
	}

	/* 0: everything holds, 1: something does not, 2: nothing can be said. */
	public int Check(string key_lines, string where, string cosigners) {
		try {
			Verify(key_lines.Replace("\r", ""), where, cosigners);
			return 0;
		} catch (Wrong e) {
			Say(e.Message);
			Complaints.Add("FAILED: do not rely on this package");
			return 1;
		} catch (Unknown e) {
			Say(e.Message);
		} catch (IOException e) {
			Say(e.Message);
		} catch (UnauthorizedAccessException e) {
			Say(e.Message);
		}
		return 2;
	}

	void Verify(string key_lines, string where, string cosigners) {
		if (!Directory.Exists(where))
			throw new Unknown("that is no directory");
		directory = where;
		known = new HashSet<string>(StringComparer.Ordinal);
		if (!string.IsNullOrEmpty(cosigners))
			known.UnionWith(Regex.Split(
			    Bytes.Text(File.ReadAllBytes(cosigners)), @"[ \t\r\n\f\v]+"));
		Files();
		string[] lines = key_lines.Split('\n');
		Checkpoint(lines[0], lines);
		Proofs();
		Entries();
		End();
		Sums();
		Anchors();
		if (known.Count > 0 && !cosigned_by_known)
			throw new Wrong("no cosignature is by a key that you named");
		Report();
	}

	/* --- what is said -------------------------------------------------- */

	static string Screen(string s) {
		var b = new StringBuilder();
		foreach (char c in s)
			b.Append(c >= 32 && c < 127 ? c : '?');
		return b.ToString();
	}
	void Say(string s) {
		Done();
		Complaints.Add("verify.ps1: " + Screen(s));
	}
	void Bad(string what, string why) {
		Say(Show(what) + ": " + why);
		if (++failures > 20)
			throw new Wrong("the package is not what the log says");
	}

	readonly Stopwatch clock = Stopwatch.StartNew();
	long drawn = -1000;
	bool on_screen;
	void Progress(string what, long did, long of) {
		if (Console.IsErrorRedirected || clock.ElapsedMilliseconds < drawn + 500)
			return;
		drawn = clock.ElapsedMilliseconds;
		on_screen = true;
		Console.Error.Write("\r{0}  {1,3} %, {2} of {3}   ", what,
		    of == 0 ? 100 : 100 * did / of, did, of);
	}
	void Done() {
		if (on_screen)
			Console.Error.Write("\r" + new string(' ', 70) + "\r");
		on_screen = false;
	}

	/* What a terminal shows of s, and nothing that it would obey: backslashes,
	 * control characters, marks of direction and broken UTF-8 are escaped. */
	static string Show(string s) {
		var r = new StringBuilder();
		int k;
		for (int i = 0; i < s.Length; i += k) {
			int c = s[i], code = c;
			k = c >= 194 && c <= 223 ? 2 : c >= 224 && c <= 239 ? 3 :
			    c >= 240 && c <= 244 ? 4 : 1;
			if (k > 1)
				code = c - (k == 2 ? 192 : k == 3 ? 224 : 240);
			else if (c >= 128)
				code = -1;
			for (int j = 1; j < k && code >= 0; j++) {
				int d = i + j < s.Length ? s[i + j] : 0;
				code = d >= 128 && d < 192 ? code * 64 + d - 128 : -1;
			}
			if (code < 0)
				k = 1;
			if (code >= 32 && code != 92 && (code < 127 || code > 159) &&
			    code != 1564 && code != 65279 &&
			    (code < 8203 || code > 8207) &&
			    (code < 8232 || code > 8238) &&
			    (code < 8288 || code > 8303)) {
				r.Append(s, i, k);
				continue;
			}
			for (int j = 0; j < k; j++)
				r.Append('\\').Append(Convert.ToString(s[i + j], 8)
				    .PadLeft(3, '0'));
		}
		return r.ToString();
	}
	static string Unicode(string s) {
		return Encoding.UTF8.GetString(Bytes.Of(s));
	}

	/* --- 1. The files --------------------------------------------------
	 * Plain files and directories only, with names that packages have. */

	void Files() {
		var found = new List<string>();
		List(directory, "", found);
		long of = 0, did = 0;
		foreach (string name in found)
			of += new FileInfo(path_on_disk[name]).Length;
		var have = Map();
		foreach (string name in found) {
			if (new FileInfo(path_on_disk[name]).Length == 0) {
				have[name] = Bytes.HexHash(new byte[0]);
				continue;
			}
			using (var f = new FileStream(path_on_disk[name], FileMode.Open,
			    FileAccess.Read, FileShare.Read, 1 << 16))
			using (var h = SHA256.Create()) {
				var b = new byte[1 << 18];
				int n;
				while ((n = f.Read(b, 0, b.Length)) > 0) {
					h.TransformBlock(b, 0, n, b, 0);
					did += n;
					Progress("files", did >> 20, of >> 20);
				}
				h.TransformFinalBlock(b, 0, 0);
				have[name] = Bytes.Hex(h.Hash);
			}
		}
		Done();
		foreach (string name in new[] { "checkpoint", "events.jsonl",
		    "package.json", "manifest-sha256.txt", "tagmanifest-sha256.txt" })
			if (!have.ContainsKey(name))
				throw new Wrong("there is no " + name);
		/* The manifests list these files, with these digests, and no others. */
		var listed = new HashSet<string>(StringComparer.Ordinal);
		var lists = new Dictionary<string, string[]>();
		foreach (string list in new[] { "manifest-sha256.txt",
		    "tagmanifest-sha256.txt" }) {
			string text = Read(list);
			lists[list] = text.Split('\n');
			foreach (string line in lists[list])
				if (line.Length > 66)
					listed.Add(line.Substring(66));
		}
		foreach (string name in found) {
			string end = name.Substring(name.LastIndexOf('/') + 1);
			/* Files that desktops leave are no part of the package. */
			if (!listed.Contains(name) && (name.StartsWith("__MACOSX/",
			    StringComparison.Ordinal) || Regex.IsMatch(end,
			    @"\A(\.DS_Store|Thumbs\.db|desktop\.ini|\._.+)\z")))
				beside.Add(name);
			else
				sum[name] = have[name];
		}
		foreach (string list in lists.Keys) {
			bool data = list == "manifest-sha256.txt";
			var differ = new SortedSet<string>(StringComparer.Ordinal);
			var left = new HashSet<string>(StringComparer.Ordinal);
			foreach (string name in sum.Keys)
				if (name.StartsWith("data/", StringComparison.Ordinal) ==
				    data && name != "tagmanifest-sha256.txt")
					left.Add(name);
			string[] lines = lists[list];
			if (lines[lines.Length - 1] != "")
				differ.Add(list);
			for (int i = 0; i < lines.Length - 1; i++) {
				string line = lines[i];
				string name = line.Length > 66 ? line.Substring(66) : line;
				if (!left.Remove(name) || line != sum[name] + "  " + name)
					differ.Add(name);
			}
			differ.UnionWith(left);
			if (differ.Count > 0) {
				var first = new List<string>(differ);
				first.RemoveRange(Math.Min(3, first.Count),
				    first.Count - Math.Min(3, first.Count));
				throw new Wrong(list + " and the files differ: " +
				    string.Join(" ", first));
			}
		}
	}
	void List(string dir, string prefix, List<string> found) {
		foreach (FileSystemInfo f in new DirectoryInfo(dir).GetFileSystemInfos()) {
			string name = prefix + Bytes.Text(Encoding.UTF8.GetBytes(f.Name));
			if ((f.Attributes & (FileAttributes.ReparsePoint |
			    FileAttributes.Device)) != 0)
				throw new Wrong("a link or a device: ./" + name);
			if (name.IndexOf('\n') >= 0)
				throw new Wrong("a file name with a line feed in it");
			if (!Bytes.Plain(Bytes.Of(name)) || name.IndexOf('\\') >= 0)
				throw new Wrong("a file name that no package has");
			if ((f.Attributes & FileAttributes.Directory) != 0)
				List(f.FullName, name + "/", found);
			else {
				found.Add(name);
				path_on_disk[name] = f.FullName;
			}
		}
	}
	/* What claims to be empty may be a device that never ends. */
	byte[] Raw(string name) {
		return new FileInfo(path_on_disk[name]).Length == 0 ? new byte[0] :
		    File.ReadAllBytes(path_on_disk[name]);
	}
	string Read(string name) {
		return Bytes.Text(Raw(name));
	}
	/* A text without control characters. */
	string ReadPlain(string name) {
		byte[] b = Raw(name);
		if (!Bytes.Plain(b))
			throw new Wrong("a description holds what is no text");
		return Bytes.Text(b);
	}

	/* --- 2. The checkpoint ---------------------------------------------
	 * An Ed25519 signature of the text before the empty line (C2SP signed-note). */

	static string Head(string note) { /* with the line feed at its end */
		int end = note.IndexOf("\n\n", StringComparison.Ordinal);
		return end < 0 ? note : note.Substring(0, end + 1);
	}
	class Rotation {
		public ulong Seq;
		public string Old, New, OldSig, NewSig;
	}
	/* An entry key.rotated is signed by the old and the new key, so it counts
	 * before its proof is checked. */
	void Rotated(Rotation r) {
		byte[] text = Bytes.Of("trailfs-key-rotation/v1\n" + r.Seq + "\n" +
		    r.Old + "\n" + r.New + "\n");
		foreach (var half in new[] { new[] { r.Old, r.OldSig },
		    new[] { r.New, r.NewSig } }) {
			PublicKey k = PublicKey.Read(half[0]);
			if (k == null || k.Name != origin)
				throw new Wrong("entry " + r.Seq +
				    " replaces no key of this log");
			if (!k.Signed(text, Bytes.Base64(half[1])))
				throw new Wrong("entry " + r.Seq +
				    " is not signed by the key " + half[0]);
		}
	}
	void Checkpoint(string line, string[] lines) {
		byte[] raw = Raw("checkpoint");
		if (!Bytes.Plain(raw) || raw.Length > 65536)
			throw new Wrong("the checkpoint is malformed");
		if (!PublicKey.Is(line))
			throw new Unknown(
			    "that is no key: a line ORIGIN+ID+BASE64 is needed");
		key = PublicKey.Read(line);
		if (key == null)
			throw new Unknown("that is no key");
		origin = key.Name;
		checkpoint = Bytes.Text(raw);
		string head = Head(checkpoint);
		string[] part = head.Split('\n');
		if (part[0] != "" && part[0] != origin)
			throw new Wrong("the package is not of this key's log");
		if (part[0] == "" || part.Length != 4 ||
		    !Regex.IsMatch(part[1], @"\A[1-9][0-9]{0,14}\z") ||
		    (root = Bytes.Base64(part[2])) == null || root.Length != 32)
			throw new Wrong("the checkpoint is malformed");
		size = Number(part[1]);
		var rotations = new List<Rotation>();
		var form = new Regex("\\A\\{.*\"new\":\"([^\"]*)\",\"newSig\":\"([^\"]*)\"," +
		    "\"old\":\"([^\"]*)\",\"oldSig\":\"([^\"]*)\",\"origin\":\"[^\"]*\"," +
		    "\"seq\":([0-9]{1,15}),\"type\":\"key\\.rotated\",\"use\":\"log\"," +
		    "\"v\":1\\}\\z");
		var all = new List<string>(lines);
		all.AddRange(Read("events.jsonl").Split('\n'));
		foreach (string s in all) {
			Match m = form.Match(s);
			if (!m.Success)
				continue;
			var r = new Rotation();
			r.New = m.Groups[1].Value;
			r.NewSig = m.Groups[2].Value;
			r.Old = m.Groups[3].Value;
			r.OldSig = m.Groups[4].Value;
			r.Seq = Number(m.Groups[5].Value);
			rotations.Add(r);
		}
		rotations.Sort((a, b) => a.Seq.CompareTo(b.Seq));
		string now = key.Line;
		bool forward = false;
		foreach (Rotation r in rotations)
			if (r.Old == now && r.Seq < size) {
				Rotated(r);
				now = r.New;
				forward = true;
			}
		rotations.Reverse();
		foreach (Rotation r in rotations)
			if (!forward && r.New == now && r.Seq >= size) {
				Rotated(r);
				now = r.Old;
			}
		key = PublicKey.Read(now);
		if (key == null)
			throw new Unknown("that is no key");
		byte[] signature = key.SignatureOf(checkpoint);
		if (signature == null)
			throw new Wrong("the checkpoint is not signed by this key");
		if (!key.Signed(Bytes.Of(head), signature))
			throw new Wrong("the signature of the checkpoint is wrong");
	}
	static ulong Number(string s) {
		ulong n;
		return ulong.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture,
		    out n) ? n : 0;
	}

	/* --- 3. The proofs -------------------------------------------------
	 * Each holds an entry in base64, its number, and the hashes beside its way to
	 * the root (C2SP tlog-proof). */

	class Entry {
		public string Proof, Text, Leaf;
		public ulong Seq;
	}
	readonly List<Entry> log = new List<Entry>();

	static byte[] Node(byte[] left, byte[] right) {
		return Bytes.Hash(Bytes.Join(new byte[] { 1 }, left, right));
	}
	static bool Same(byte[] a, byte[] b) {
		return Bytes.Hex(a) == Bytes.Hex(b);
	}
	void Proofs() {
		var names = new List<string>();
		foreach (string name in sum.Keys)
			if (name.StartsWith("proofs/", StringComparison.Ordinal))
				names.Add(name);
		names.Sort(StringComparer.Ordinal);
		if (names.Count == 0)
			throw new Wrong("there are no proofs");
		int did = 0;
		foreach (string name in names) {
			log.Add(Proof(name));
			Progress("proofs", ++did, names.Count);
		}
		Done();
		log.Sort((a, b) => a.Seq != b.Seq ? a.Seq.CompareTo(b.Seq) :
		    string.CompareOrdinal(a.Proof, b.Proof));
		var all = new StringBuilder();
		foreach (Entry e in log)
			all.Append(e.Text).Append('\n');
		if (all.ToString() != Read("events.jsonl"))
			throw new Wrong("events.jsonl is not what the proofs prove");
	}
	Entry Proof(string name) {
		if (new FileInfo(path_on_disk[name]).Length > 1 << 20)
			throw new Wrong("too long: " + name);
		byte[] raw = Raw(name);
		if (!Bytes.Plain(raw))
			throw new Wrong("a proof holds what is no text");
		string text = Bytes.Text(raw);
		string bad = "./" + name + ": ";
		string[] line = Head(text).Split('\n');
		if (line[0] != "c2sp.org/tlog-proof@v1")
			throw new Wrong(bad + "is no proof of a known form");
		if (line.Length < 2 || !line[1].StartsWith("extra ",
		    StringComparison.Ordinal))
			throw new Wrong(bad + "holds no entry");
		byte[] entry = Bytes.Base64(line[1].Substring(6));
		if (entry == null || entry.Length == 0 || line[1].Length > 21854)
			throw new Wrong(bad + "its entry is malformed");
		if (Array.IndexOf(entry, (byte)10) >= 0)
			throw new Wrong(bad + "its entry is malformed");
		if (!Bytes.Plain(entry))
			throw new Wrong("an entry holds what is no text");
		if (line.Length < 4 || line[2].Length > 21 ||
		    !Regex.IsMatch(line[2], @"\Aindex (0|[1-9][0-9]*)\z"))
			throw new Wrong(bad + "has no number");
		var e = new Entry();
		e.Proof = "./" + name;
		e.Text = Bytes.Text(entry);
		e.Seq = Number(line[2].Substring(6));
		if (e.Seq >= size)
			throw new Wrong(bad + "there is no such entry in the tree");
		var path = new byte[line.Length - 4][];
		for (int i = 0; i < path.Length; i++) {
			path[i] = Bytes.Base64(line[i + 3]);
			if (i > 62 || path[i] == null || path[i].Length != 32)
				throw new Wrong(bad + "a hash is malformed");
		}
		string note = text.Substring(Math.Min(text.Length, Head(text).Length + 1));
		if (!note.StartsWith(checkpoint, StringComparison.Ordinal))
			throw new Wrong(bad +
			    "is under another checkpoint than the package");
		if (note != checkpoint)
			throw new Wrong(bad + "is malformed");
		/* RFC 9162, 2.1.3.2. */
		byte[] h = Bytes.Hash(Bytes.Join(new byte[] { 0 }, entry));
		e.Leaf = Bytes.Hex(h);
		ulong fn = e.Seq, sn = size - 1;
		foreach (byte[] other in path) {
			if (sn == 0)
				throw new Wrong(bad +
				    "does not lead to the root of the checkpoint");
			if (fn % 2 == 1 || fn == sn) {
				h = Node(other, h);
				while (fn % 2 == 0 && fn != 0) {
					fn /= 2;
					sn /= 2;
				}
			} else
				h = Node(h, other);
			fn /= 2;
			sn /= 2;
		}
		if (sn != 0 || !Same(h, root))
			throw new Wrong("./" + name +
			    " does not lead to the root of the checkpoint");
		return e;
	}

	/* --- 4. The entries ------------------------------------------------ */

	Dictionary<string, string> value_of = Map();
	readonly HashSet<string> used = new HashSet<string>(StringComparer.Ordinal);
	readonly HashSet<string> replays = new HashSet<string>(StringComparer.Ordinal);
	readonly Dictionary<string, string> renamed = Map(), of_dir = Map(),
	    dir_of = Map(), content_of = Map(), without_bytes = Map(),
	    said_by = Map(), entry_of = Map(), proposed = Map(),
	    text_proposed = Map(), flow = Map();
	readonly HashSet<string> begun = Set(), redacted = Set(), hidden = Set(),
	    no_text = Set(), text_gone = Set();
	readonly List<string> order = new List<string>(), flows = new List<string>();
	class Seal {
		public string Path, Count, Sums, Kind, Leaf, Payload, Envelope;
		public string Attester, Sig, Statement, StatementName;
		public readonly List<string> Lines = new List<string>();
	}
	readonly Dictionary<string, Seal> seal =
	    new Dictionary<string, Seal>(StringComparer.Ordinal);
	readonly Dictionary<string, Seal> sealed_ =
	    new Dictionary<string, Seal>(StringComparer.Ordinal);
	readonly List<Seal> seals = new List<Seal>();
	class Anchor {
		public string File, Kind, Hash, Whose, Key;
		public ulong Old;
	}
	readonly List<Anchor> anchors = new List<Anchor>();
	string about, since, until, control, person, status, base_, first_name, attester = "", last = "", proof;
	string period = "";
	bool log_is_whole;
	int format, level, reach, stored_files, gaps;
	readonly HashSet<string> trail = Set(), defines = Set(), defined = Set();
	readonly Dictionary<string, string> defined_in = Map();
	readonly SortedDictionary<string, int> types =
	    new SortedDictionary<string, int>(StringComparer.Ordinal);
	ulong bytes;

	static HashSet<string> Set() {
		return new HashSet<string>(StringComparer.Ordinal);
	}
	string Get(string k) {
		string v;
		return value_of.TryGetValue(k, out v) ? v : "";
	}
	/* The fields of one JSON object without white space, three levels deep, into
	 * value_of.  The escapes \\ and \" become 1 and 2 first, which a text has not:
	 * then every quote left begins or ends a string. */
	bool Parse(string text) {
		value_of = Map();
		int depth = 0;
		text = text.Replace("\\\\", "\u0001").Replace("\\\"", "\u0002");
		string[] part = text.Split('"');
		if (part.Length % 2 == 0 || !text.StartsWith("{", StringComparison.Ordinal) ||
		    !text.EndsWith("}", StringComparison.Ordinal))
			return false;
		var parent = new string[64];
		string k = "";
		for (int i = 0; i < part.Length; i += 2) {
			string s = part[i];
			if (s.Length > 1 && s[0] == ':' &&
			    "-0123456789tf".IndexOf(s[1]) >= 0)
				Put(depth, parent, k, s.Substring(1).Split(']', ',', '}')[0]);
			foreach (char c in s)
				if (c == '{' || c == '[') {
					if (++depth == parent.Length)
						return false;
					parent[depth] = k;
				} else if (c == '}' || c == ']')
					depth--;
			if (i + 1 == part.Length)
				break;
			if (part[i + 2].StartsWith(":", StringComparison.Ordinal))
				k = part[i + 1];
			else if (s == ":")
				Put(depth, parent, k, part[i + 1]);
		}
		return depth == 0;
	}
	void Put(int depth, string[] parent, string k, string v) {
		if (depth == 1)
			value_of[k] = v;
		else if (depth == 2)
			value_of[parent[2] + "." + k] = v;
		else if (depth == 3)
			value_of[parent[2] + "." + parent[3] + "." + k] = v;
	}
	static string Plain(string s) {
		return s.Replace('\u0001', '\\').Replace('\u0002', '"');
	}
	static string Escaped(string s) {
		return s.Replace("\u0001", "\\\\").Replace("\u0002", "\\\"");
	}
	static bool IsTime(string s) {
		return Regex.IsMatch(s,
		    @"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z\z");
	}
	static bool IsNumber(string s) {
		return Regex.IsMatch(s, @"\A(0|[1-9][0-9]{0,15})\z");
	}
	/* =XX back to the byte; digits are capital. */
	static string Decode(string s) {
		return Regex.Replace(s, "=([0-9A-F]{2})", m => ((char)byte.Parse(
		    m.Groups[1].Value, NumberStyles.AllowHexSpecifier,
		    CultureInfo.InvariantCulture)).ToString());
	}
	/* Can a package call name so?  As it is, or with =XX for some bytes, with N~
	 * before it, or cut where it would be too long. */
	static bool Spells(string stored, string name) {
		if (stored == name)
			return true;
		for (int i = 0; i < 2; i++) {
			string d = Decode(stored);
			if (d == name || (stored.Length > 200 &&
			    name.StartsWith(d, StringComparison.Ordinal)))
				return true;
			Match m = Regex.Match(stored, @"\A[1-9][0-9]*~");
			if (!m.Success)
				return false;
			stored = stored.Substring(m.Length);
		}
		return false;
	}
	static bool SpellsPath(string stored, string path) {
		string[] a = stored.Split('/'), b = path.Split('/');
		if (a.Length != b.Length)
			return false;
		for (int i = 0; i < a.Length; i++)
			if (!Spells(a[i], b[i]))
				return false;
		return true;
	}
	/* The first k parts of a path, "" if it has fewer. */
	static string First(string path, int k) {
		string[] part = path.Split('/');
		return part.Length < k ? "" : string.Join("/", part, 0, k);
	}
	static bool Under(string path, string dir) {
		return path.StartsWith(dir + "/", StringComparison.Ordinal);
	}
	/* Is path what the package is about, or below it?  Of an attestation NAME@N
	 * the earlier ones are in the package, too. */
	bool Within(string path) {
		if (level == 0 || path == about || Under(path, about))
			return true;
		return level == 3 &&
		    path.StartsWith(first_name, StringComparison.Ordinal) &&
		    Regex.IsMatch(path.Substring(first_name.Length),
			@"\A(@[0-9]+)?(/|\z)");
	}
	string Below(string path) {
		if (base_ == "")
			return path;
		return path.Length > base_.Length ? path.Substring(base_.Length + 1) : "";
	}
	string Join(string rel) {
		return base_ == "" ? rel : base_ + "/" + rel;
	}
	bool Above(string path) {
		return path == "." || path == about || Under(about, path);
	}
	bool Use(string name) {
		if (!sum.ContainsKey(name)) {
			Bad(name, "is missing");
			return false;
		}
		used.Add(name);
		return true;
	}
	void MustBe(string name, string text) {
		if (Use(name) && ReadPlain(name) != text)
			Bad(name, "says something else than the entries");
	}
	static void Count(Seal s, string name, string digest) {
		s.Lines.Add(name + "\t" + (name.IndexOf('\\') < 0 ? "" : "\\") + digest +
		    "  " + name.Replace("\\", "\\\\"));
	}
	/* The attestation whose files are below attestations/DIR, or "". */
	string Owner(string dir) {
		string a;
		if (of_dir.TryGetValue(dir, out a))
			return a;
		a = Join(dir);
		if (!begun.Contains(a) || dir_of.ContainsKey(a)) {
			a = "";
			foreach (string b in begun)
				if (!dir_of.ContainsKey(b) && SpellsPath(dir, Below(b))) {
					a = b;
					break;
				}
		}
		if (a != "") {
			dir_of[a] = dir;
			of_dir[dir] = a;
		}
		return a;
	}
	bool OwnsWorkflow(string dir) {
		if (flow.ContainsKey(Join(dir)))
			return true;
		foreach (string w in flow.Keys)
			if (SpellsPath(dir, Below(w)))
				return true;
		return false;
	}
	/* Is that the directory of a trail, in the package of a vault? */
	bool IsTrail(string dir) {
		if (trail.Contains(dir))
			return true;
		foreach (string w in trail)
			if (Spells(dir, w))
				return true;
		return false;
	}
	/* The directory of the definitions of a trail. */
	string Definitions(string path) {
		string dir;
		if (level > 0)
			return "definitions/";
		if (!defined_in.TryGetValue(path, out dir)) {
			dir = path;
			if (!defines.Contains(path) || defined.Contains(path))
				foreach (string d in defines)
					if (!defined.Contains(d) && Spells(d, path))
						dir = d;
			defined_in[path] = dir;
			defined.Add(dir);
		}
		return "definitions/" + dir + "/";
	}
	/* A file that an entry names by its digest; earlier formats have none. */
	void Said(string name, string digest) {
		if (format > 2 && Use(name) && sum[name] != digest)
			Bad(name, "is not what was recorded");
	}
	/* What somebody outside has said of the log, in the files of entry seq. */
	void AnchorAdded(string seq) {
		string file = "anchors/" + seq, kind = Get("kind");
		bool stamp = kind == "stamp";
		if (!IsNumber(Get("tree.size")) || Number(Get("tree.size")) < 1 ||
		    !Regex.IsMatch(Get("tree.root"), @"\A[0-9a-f]{64}\z") ||
		    !Regex.IsMatch(kind, @"\A[a-z]+\z")) {
			Bad(proof, "its entry is malformed");
			return;
		}
		Said(file + (stamp ? ".tsr" : ".checkpoint"), Get("content.sha256"));
		if (Get("chain.sha256") != "")
			Said(file + ".pem", Get("chain.sha256"));
		if (!Use(file + ".consistency"))
			return;
		/* A mirror of a vault may lack the checkpoint that was stamped. */
		if (stamp && sum.ContainsKey(file + ".checkpoint"))
			used.Add(file + ".checkpoint");
		var a = new Anchor();
		if (kind == "mirror" || kind == "witness") {
			a.Key = Get("key");
			if (!PublicKey.Is(a.Key)) {
				Bad(proof, "its entry has no key");
				return;
			}
		}
		a.File = file;
		a.Kind = kind;
		a.Old = Number(Get("tree.size"));
		a.Hash = Get("tree.root");
		a.Whose = Show(Get("name"));
		anchors.Add(a);
	}
	/* Texts that stand apart from an entry: {"withheld":"DIGEST"}. */
	void Apart(string s) {
		foreach (Match m in Regex.Matches(s, "\\{\"withheld\":\"([0-9a-f]+)\"\\}")) {
			string h = m.Groups[1].Value;
			if (!sum.ContainsKey("texts/" + h)) {
				no_text.Add(h);
				continue;
			}
			used.Add("texts/" + h);
			if (sum["texts/" + h] != h)
				Bad("texts/" + h, "is not the text of its entry");
		}
	}
	void Evidence(string path) {
		string a = First(path, 3), rel = Below(path), name, dir;
		Match m = Regex.Match(proof, @"\A\./proofs/data/(.*)\.tlog-proof\z");
		if (!m.Success) {
			Bad(proof, "the proof of " + Show(path) + " is not where it belongs");
			return;
		}
		string stored = m.Groups[1].Value;
		if (content_of.ContainsKey(path)) {
			Bad(path, "was recorded twice");
			return;
		}
		content_of[path] = Get("content.sha256");
		if (stored != (renamed.TryGetValue(rel, out name) ? name : rel)) {
			Bad("data/" + stored, "is not where " + Show(path) + " belongs");
			return;
		}
		renamed.Remove(rel);
		if (!SpellsPath(stored, rel)) {
			Bad("data/" + stored, "is not the name of " + Show(path));
			return;
		}
		dir = First(stored, reach);
		if (of_dir.TryGetValue(dir, out name) ? name != a : dir_of.ContainsKey(a)) {
			Bad("data/" + stored, "is in the directory of another attestation");
			return;
		}
		of_dir[dir] = a;
		dir_of[a] = dir;
		if (!sum.ContainsKey("data/" + stored))
			/* A later entry must say that it was redacted. */
			without_bytes[path] = "data/" + stored;
		else {
			used.Add("data/" + stored);
			replays.Add("replay/" + Get("seq") + ".html");
			if (sum["data/" + stored] != Get("content.sha256"))
				Bad("data/" + stored, "is not what " + Show(path) + " was");
			stored_files++;
			bytes += Number(Get("content.size"));
		}
		entry_of[path] = Get("seq");
		order.Add(path);
		string who = Get("actor.uid") == "" ? "trailfs itself" :
		    "uid " + Get("actor.uid");
		if (Get("actor.user") != "")
			who = Get("actor.user") + " (" + who + ")";
		string when = Get("at"), said = Get("clock");
		if (said != "" && First19(said) != First19(when))
			when += " (the clock said " + said + ")";
		if (!without_bytes.ContainsKey(path))
			shown.Add(when + "  " + Show(who) + "  " + Show(path) +
			    (stored == rel ? "" : "  [data/" + Show(stored) + "]"));
	}
	static string First19(string s) {
		return s.Length > 19 ? s.Substring(0, 19) : s;
	}
	void Begin() {
		string line = ReadPlain("package.json").Split('\n')[0];
		if (!Parse(line)) {
			Bad("package.json", "is malformed");
			throw new Wrong("the package is not what the log says");
		}
		if (!Regex.IsMatch(Get("format"), @"\A[12345]\z"))
			throw new Unknown("a later version made the package");
		format = (int)Number(Get("format"));
		about = base_ = Plain(Get("path"));
		since = Get("since");
		until = Get("until");
		control = Get("control");
		person = Get("person");
		status = Get("status");
		string[] part = about.Split('/');
		level = part.Length;
		if (about == "." && format > 4) {
			level = 0;
			base_ = "";
		} else if (!Regex.IsMatch(about, @"\A[A-Za-z0-9][A-Za-z0-9._~@/-]*\z") ||
		    level > 3) {
			Bad("package.json", "names no trail, workflow or attestation");
			throw new Wrong("the package is not what the log says");
		}
		if ((since != "" && !IsTime(since)) || (until != "" && !IsTime(until)))
			Bad("package.json", "is malformed");
		if (!Regex.IsMatch(control, @"\A[A-Za-z0-9._-]*\z") ||
		    Plain(person) != person || !Regex.IsMatch(status,
		    @"\A(|COMPLIANT|NON-COMPLIANT|INCOMPLETE)\z") ||
		    (format < 5 && control + person + status != ""))
			Bad("package.json", "is malformed");
		/* How many names of a path below data/ are those of an attestation. */
		reach = level < 3 ? 3 - level : 1;
		if (level > 1 && Chosen())
			Bad("package.json", "only of the vault or a trail a part is selected");
		if (level == 3) {
			base_ = part[0] + "/" + part[1];
			first_name = Regex.Replace(about, @"@[0-9]+\z", "");
		}
		foreach (string n in sum.Keys)
			if (n.StartsWith("definitions/", StringComparison.Ordinal) &&
			    n.Split('/').Length > 2)
				defines.Add(n.Split('/')[1]);
		if (!sum.ContainsKey("names.jsonl"))
			return;
		foreach (string l in ReadPlain("names.jsonl").Split('\n')) {
			if (l == "")
				continue;
			if (!Parse(l) || renamed.ContainsKey(Plain(Get("path"))) ||
			    l != "{\"path\":\"" + Escaped(Get("path")) +
			    "\",\"stored\":\"" + Escaped(Get("stored")) + "\"}") {
				Bad("names.jsonl", "is malformed");
				throw new Wrong("the package is not what the log says");
			}
			renamed[Plain(Get("path"))] = Plain(Get("stored"));
		}
	}
	void Entries() {
		Begin();
		for (int i = 0; i < log.Count; i++) {
			Entry e = log[i];
			string seq = e.Seq.ToString(CultureInfo.InvariantCulture);
			proof = e.Proof;
			if (i > 0 && e.Seq <= log[i - 1].Seq)
				Bad(proof, "is the proof of an entry that another one proves");
			if (e.Seq > (i > 0 ? log[i - 1].Seq + 1 : 0))
				gaps++;
			if (!Parse(e.Text) || Get("seq") != seq || !IsNumber(Get("v"))) {
				Bad(proof, "its entry is malformed");
				continue;
			}
			if (Get("v") != "1")
				throw new Unknown("entry " + seq + " has a later form");
			One(e, seq);
		}
	}
	void One(Entry e, string seq) {
		string type = Get("type"), path = Plain(Get("path"));
		last = Get("at");
		types[type] = Types(type) + 1;
		if (period == "" && (since != "" || level == 0 || (path == about &&
		    Regex.IsMatch(type,
		    @"\A(trail\.created|workflow\.begun|attestation\.begun)\z"))))
			period = since == "" ? last : since;
		used.Add(proof.Substring(2));
		if (e.Text.IndexOf("{\"withheld\"", StringComparison.Ordinal) >= 0)
			Apart(e.Text);
		if (path != "" && !Within(path) &&
		    (type == "evidence.sealed" || !Above(path)))
			Bad(path, "is not of what the package is about");
		if (type == "evidence.sealed") {
			Evidence(path);
			return;
		}
		if (proof != "./proofs/events/" + seq + ".tlog-proof")
			Bad(proof, "is the proof of entry " + seq);
		string what = Get("what"), v;
		if (type.StartsWith("redaction.", StringComparison.Ordinal) &&
		    Regex.IsMatch(what, @"\A(claims|imported|reason|to)\z")) {
			if (type == "redaction.proposed")
				text_proposed[seq] = Get("content.sha256");
			else if (text_proposed.TryGetValue(Get("proposal"), out v) &&
			    v == Get("content.sha256"))
				text_gone.Add(v);
		} else if (type == "redaction.done" && entry_of.TryGetValue(path, out v) &&
		    Get("target") == v && proposed.TryGetValue(Get("proposal"), out v) &&
		    v == path) {
			/* Two people had the file removed: what quotes it need not be
			 * there either. */
			redacted.Add(path);
			hidden.Add(First(path, 3));
			hidden.Add(First(path, 3) + "\n" + content_of[path]);
		} else if (type == "redaction.proposed")
			proposed[seq] = path;
		else if (type == "attestation.begun")
			begun.Add(path);
		else if (type == "trail.created")
			trail.Add(path);
		else if (type == "workflow.begun") {
			flow[path] = e.Leaf;
			if (level < 2)
				flows.Add(path);
		} else if (type == "attestation.sealed" || type == "workflow.sealed" ||
		    type == "trail.sealed")
			Sealed(e, type, path);
		else if (type == "template.set")
			Said(Definitions(path) + "template@" + Get("template.version") + ".yml",
			    Get("template.sha256"));
		else if (type == "recipients.set")
			Said(Definitions(path) + "recipients@" + Get("recipients.version"),
			    Get("recipients.sha256"));
		else if (type == "type.set")
			Said(Definitions(path) + "types/" + Get("definition.name") + "@" +
			    Get("definition.version") + ".yml", Get("definition.sha256"));
		else if (type == "anchor.added")
			AnchorAdded(seq);
		else if (type == "ledger.opened")
			attester = Get("keys.attester");
		else if (type == "key.rotated" && Get("use") == "attester")
			attester = Get("new");
	}
	void Sealed(Entry e, string type, string path) {
		string what = type == "attestation.sealed" ? "evidence" :
		    type == "workflow.sealed" ? "attestations" : "workflows";
		var s = new Seal();
		s.Path = path;
		s.Count = Get(what + ".count");
		s.Sums = Get(what + ".sums");
		s.Kind = what == "evidence" ? "files" : what;
		seals.Add(s);
		seal[path] = s;
		if (what != "evidence")
			return;
		sealed_[path] = s;
		said_by[path + "\nevaluation.json"] = Get("evaluated.report.sha256");
		said_by[path + "\nuser-data"] = Get("claims.userData.sha256");
		s.Leaf = e.Leaf;
		s.Payload = Get("statement.payload");
		s.Sig = Get("statement.sig");
		s.Envelope = "\",\"payloadType\":\"application/vnd.in-toto+json\"," +
		    "\"signatures\":[{\"keyid\":\"" + Get("statement.keyid") +
		    "\",\"sig\":\"" + s.Sig + "\"}]}";
		s.Attester = attester;
	}
	string SaidBy(string a, string end) {
		string v;
		return said_by.TryGetValue(a + "\n" + end, out v) ? v : "";
	}
	void End() {
		Seal s;
		foreach (string name in renamed.Keys)
			Bad("names.jsonl", "speaks of a file that is not there");
		foreach (string path in without_bytes.Keys)
			if (redacted.Contains(path))
				whole.Add("redacted, two people have had its bytes deleted: " +
				    Show(path));
			else
				Bad(without_bytes[path], "is missing");
		foreach (string h in no_text)
			whole.Add((text_gone.Contains(h) ? "redacted, two people have had " +
			    "a text of an entry deleted: " :
			    "absent, a text of an entry is not in the package: ") + h);
		/* What the seals count. */
		foreach (string path in order) {
			string a = First(path, 3);
			if (sealed_.TryGetValue(a, out s))
				Count(s, path.Substring(a.Length + 1), content_of[path]);
			else if (!begun.Contains(a))
				Bad(path, "its attestation is not in the package");
		}
		foreach (var a in sealed_)
			if (seal.TryGetValue(First(a.Key, 2), out s))
				Count(s, a.Key.Substring(First(a.Key, 2).Length + 1),
				    a.Value.Leaf);
		foreach (string w in flows)
			if (seal.TryGetValue(First(w, 1), out s))
				Count(s, w.Substring(First(w, 1).Length + 1), flow[w]);
		foreach (Seal x in seals) {
			if (x.Count != x.Lines.Count.ToString(CultureInfo.InvariantCulture))
				Bad(x.Path, "was sealed with " + x.Count + " " + x.Kind +
				    ", here are " + x.Lines.Count);
			whole.Add("sealed, all " + x.Count + " " + x.Kind +
			    " are here: " + Show(x.Path));
		}
		string here = level == 0 && !Chosen() ?
		    " up to the checkpoint are here: " : " may be missing: ";
		foreach (string a in begun)
			if (!sealed_.ContainsKey(a))
				whole.Add("not sealed in this package, files" + here + Show(a));
		foreach (string w in flow.Keys)
			if (!seal.ContainsKey(w) && level < 3)
				whole.Add("not sealed in this package, attestations" + here +
				    Show(w));
		if (control + person + status != "")
			whole.Add("selected, other workflows are not in it");
		else if (Chosen())
			whole.Add("cut by time, other workflows are not in it");
		else if (level == 0 && (ulong)log.Count != size)
			Bad("events.jsonl", "lacks entries: the package of a vault has " +
			    "all of them");
		else if (level == 0) {
			whole.Add("the whole log, all " + log.Count + " entries");
			log_is_whole = true;
		}
		else if (level == 1 && !seal.ContainsKey(about))
			whole.Add("not sealed in this package, workflows may be missing: " +
			    Show(about));
		Descriptions();
		foreach (string name in sum.Keys)
			if (!used.Contains(name))
				Other(name);
		foreach (string a in sealed_.Keys) {
			if (!keep.ContainsKey(a + "\nSHA256SUMS") ||
			    sealed_[a].Statement == null)
				Bad(a, "its statement or its list is missing");
			/* They may have gone with redacted evidence. */
			if (hidden.Contains(a))
				said_by[a + "\nevaluation.json"] = "";
			if (hidden.Contains(a + "\n" + SaidBy(a, "user-data")))
				said_by[a + "\nuser-data"] = "";
			if (format > 2 &&
			    SaidBy(a, "evaluation.json") + SaidBy(a, "user-data") != "")
				Bad(a, "its evaluation or its user data are missing");
		}
		if (failures > 0)
			throw new Wrong("the package is not what the log says");
	}
	/* The other files: what the entries say, in other words. */
	void Descriptions() {
		string pem = "-----BEGIN PUBLIC KEY-----\n";
		string end = "\n-----END PUBLIC KEY-----\n";
		string spki = Convert.ToBase64String(Bytes.Join(new byte[] { 48, 42, 48, 5,
		    6, 3, 43, 101, 112, 3, 33, 0 }, key.Key));
		string shape = format.ToString(CultureInfo.InvariantCulture);
		MustBe("keys/log.pub.pem", pem + spki + end);
		MustBe("keys/attester.pub.pem", pem + attester + end);
		MustBe("keys/log.vkey", key.Line + "\n");
		MustBe("bagit.txt", "BagIt-Version: 1.0\n" +
		    "Tag-File-Character-Encoding: UTF-8\n");
		MustBe("bag-info.txt", "Bag-Software-Agent: trailfs\n" +
		    "Bagging-Date: " + (last.Length > 10 ? last.Substring(0, 10) : last) +
		    "\nExternal-Identifier: " + about +
		    "\nPayload-Oxum: " + bytes + "." + stored_files +
		    "\nTrailfs-Origin: " + origin +
		    "\nTrailfs-Package-Format: " + shape + "\n");
		MustBe("package.json", "{\"bytes\":" + bytes + Field(",", "control", control) +
		    ",\"entries\":" + log.Count + ",\"files\":" + stored_files + ",\"format\":" + shape +
		    ",\"origin\":\"" + origin + "\",\"path\":\"" + about + "\"" +
		    Field(",", "person", person) + Field(",", "since", since) +
		    Field(",", "status", status) + Tree() + Field(",", "until", until) +
		    "}\n");
		if (format > 4)
			Completeness();
		foreach (string name in new[] { "checkpoint", "events.jsonl", "names.jsonl",
		    "manifest-sha256.txt", "tagmanifest-sha256.txt" })
			used.Add(name);
	}
	/* completeness.json follows from the entries, except the program that made the
	 * package, which proves nothing, and the number of workflows of the trail or vault. */
	void Completeness() {
		string name = "completeness.json", sorted = "";
		if (!sum.ContainsKey(name) || !Parse(ReadPlain(name).Split('\n')[0])) {
			Bad(name, "is malformed");
			return;
		}
		string of_what = level == 0 ? "vault" : "trail";
		string tool = Get("tool"), of = Get("workflows." + of_what);
		if (!Regex.IsMatch(tool, @"\A[A-Za-z0-9 .+~-]{1,64}\z") ||
		    (Chosen() ? !IsNumber(of) : of != ""))
			Bad(name, "is malformed");
		foreach (var t in types)
			sorted += (sorted == "" ? "\"" : ",\"") + t.Key + "\":" + t.Value;
		ulong end = log[log.Count - 1].Seq;
		MustBe(name, "{\"bytes\":" + bytes + ",\"entries\":" + log.Count +
		    ",\"files\":" + stored_files + ",\"first\":" + log[0].Seq +
		    ",\"gaps\":{\"count\":" + (gaps + (end + 1 < size ? 1 : 0)) +
		    ",\"entries\":" + (size - (ulong)log.Count) + "},\"last\":" + end +
		    ",\"origin\":\"" + origin + "\",\"period\":{" +
		    (period == "" ? "" : Field("", "from", period) + ",") +
		    Field("", "until", until == "" ? last : until) + "},\"query\":{" +
		    (control == "" ? "" : Field("", "control", control) + ",") +
		    "\"path\":\"" + about + "\"" + Field(",", "person", person) +
		    Field(",", "since", since) + Field(",", "status", status) +
		    Field(",", "until", until) + "},\"tool\":\"" + tool + "\"" + Tree() +
		    ",\"types\":{" + sorted + "},\"workflows\":{\"here\":" +
		    Types("workflow.begun") + (of == "" ? "" : ",\"" + of_what + "\":" + of) +
		    "}}\n");
		if (Chosen())
			unproven.Add(name + ": how many workflows the " + of_what + " has");
		if (control + person + status != "")
			unproven.Add("package.json: whether the workflows have the " +
			    "control, person and status by which they were selected");
	}
	int Types(string type) {
		int n;
		return types.TryGetValue(type, out n) ? n : 0;
	}
	bool Chosen() {
		return since + control + person + status + until != "";
	}
	/* A member of a JSON object, "" if it has no value. */
	static string Field(string comma, string name, string value) {
		return value == "" ? "" :
		    comma + "\"" + name + "\":\"" + value + "\"";
	}
	string Tree() {
		return ",\"tree\":{\"root\":\"" + Bytes.Hex(root) + "\",\"size\":" +
		    size + "}";
	}
	bool IsPage(string name) {
		return name == "index.html" || name == "status.json" ||
		    (format > 4 && name == "trail-page.html");
	}
	void Other(string name) {
		string[] part = name.Split('/');
		int n = part.Length;
		string end = part[n - 1], a = "";
		string dir = n > 2 ? string.Join("/", part, 1, n - 2) : "";
		Seal s;
		if (part[0] == "attestations" && n == reach + 2)
			a = Owner(dir);
		if (sealed_.TryGetValue(a, out s) && end == "SHA256SUMS") {
			keep[a + "\nSHA256SUMS"] = "";
			if (sum[name] != s.Sums)
				Bad(name, "is not the list that was sealed");
		} else if (s != null && format > 2 && SaidBy(a, end) != "") {
			if (sum[name] != SaidBy(a, end))
				Bad(name, "is not what was recorded");
			said_by[a + "\n" + end] = "";
		} else if (s != null && end == "attestation.intoto.json") {
			string line = ReadPlain(name).TrimEnd('\n'), begin = "{\"payload\":\"";
			s.Statement = "";
			s.StatementName = name;
			if (!line.StartsWith(begin, StringComparison.Ordinal) ||
			    !line.EndsWith(s.Envelope, StringComparison.Ordinal) ||
			    line.Length < begin.Length + s.Envelope.Length)
				Bad(name, "is not the statement that was sealed");
			else
				s.Statement = line.Substring(begin.Length,
				    line.Length - begin.Length - s.Envelope.Length);
		} else if ((begun.Contains(a) && end == "attestation.json") ||
		    name == "VERIFY.txt" || name == "verify.sh" ||
		    (format > 4 && (name == "verify.ps1" || name == "health.json" ||
		    name == "certificate.html")) ||
		    (level > 0 && name == "custody.jsonl") || replays.Contains(name) ||
		    (level < 3 && name == end && IsPage(end) &&
		    (level > 0 || end == "index.html")) ||
		    (level < 2 && n == reach + 1 && part[0] == "workflows" &&
		    IsPage(end) && OwnsWorkflow(dir)) ||
		    (level == 0 && n == 3 && part[0] == "workflows" && IsPage(end) &&
		    IsTrail(dir)))
			unproven.Add(Show(name));
		else
			Bad(name, "no entry speaks of it");
	}

	/* What the seals digest, and who signed the statements, over the bytes that
	 * DSSE makes of them. */
	void Sums() {
		int did = 0;
		foreach (Seal s in seals) {
			s.Lines.Sort(StringComparer.Ordinal);
			var text = new StringBuilder();
			foreach (string line in s.Lines)
				text.Append(line, line.IndexOf('\t') + 1,
				    line.Length - line.IndexOf('\t') - 1).Append('\n');
			if (Bytes.HexHash(Bytes.Of(text.ToString())) != s.Sums)
				throw new Wrong(Show(s.Path) +
				    ": what is here is not what was sealed");
		}
		foreach (Seal s in sealed_.Values) {
			string name = Show(s.StatementName);
			byte[] payload = Bytes.Base64(s.Statement);
			if (payload == null)
				throw new Wrong("a statement is malformed: " + name);
			if (Bytes.HexHash(payload) != s.Payload)
				throw new Wrong(name + ": is not the statement that was sealed");
			byte[] pae = Bytes.Join(Bytes.Of("DSSEv1 28 " +
			    "application/vnd.in-toto+json " + payload.Length + " "), payload);
			byte[] spki = Bytes.Base64(s.Attester), sig = Bytes.Base64(s.Sig);
			if (spki == null || spki.Length != 44 ||
			    Bytes.Hex(Bytes.Part(spki, 0, 12)) != "302a300506032b6570032100")
				throw new Wrong(name +
				    ": no entry names the key of its attester");
			if (sig == null ||
			    !Ed25519.Verify(Bytes.Part(spki, 12, 32), pae, sig))
				throw new Wrong(name +
				    ": is not signed by the key of the attester in force");
			Progress("statements", ++did, sealed_.Count);
		}
		Done();
	}

	/* --- 5. The anchors ------------------------------------------------
	 * What others have said of an earlier tree counts here only if that tree is
	 * the beginning of this one (RFC 9162, 2.1.4.2). */

	bool cosigned_by_known;

	bool Begins(ulong old, byte[] earlier, string[] path) {
		ulong fn = old - 1, sn = size - 1;
		byte[] fr = (old & fn) == 0 ? earlier : null, sr = fr;
		while (fn % 2 == 1) {
			fn /= 2;
			sn /= 2;
		}
		foreach (string line in path) {
			byte[] c = Bytes.Base64(line);
			if (c == null || c.Length != 32)
				return false;
			if (fr == null) {
				fr = sr = c;
				continue;
			}
			if (sn == 0)
				return false;
			if (fn % 2 == 1 || fn == sn) {
				fr = Node(c, fr);
				sr = Node(c, sr);
				while (fn % 2 == 0 && fn != 0) {
					fn /= 2;
					sn /= 2;
				}
			} else
				sr = Node(sr, c);
			fn /= 2;
			sn /= 2;
		}
		return sn == 0 && fr != null && Same(fr, earlier) && Same(sr, root);
	}
	void Anchors() {
		foreach (Anchor a in anchors) {
			string file = a.File;
			string text = Read(file + ".consistency");
			if (!Bytes.Plain(Bytes.Of(text)) || text.Length > 131072)
				throw new Wrong(file + ".consistency is malformed");
			string head = Head(text);
			string[] line = head.TrimEnd('\n').Split('\n');
			var path = new string[line.Length - 1];
			Array.Copy(line, 1, path, 0, path.Length);
			if (text.Length <= head.Length || a.Old >= size ||
			    text.Substring(head.Length + 1) != checkpoint ||
			    line[0] != "old " + a.Old || path.Length > 63 ||
			    !Begins(a.Old, Bytes.FromHex(a.Hash), path))
				throw new Wrong(file +
				    ".consistency does not lead from the anchor to this log");
			string note = null;
			if (sum.ContainsKey(file + ".checkpoint")) {
				note = Read(file + ".checkpoint");
				if (!Bytes.Plain(Bytes.Of(note)))
					throw new Wrong(file + ".checkpoint is malformed");
				string said = Head(note);
				if (said.Substring(said.IndexOf('\n') + 1) != a.Old + "\n" +
				    Convert.ToBase64String(Bytes.FromHex(a.Hash)) + "\n")
					throw new Wrong(file +
					    ".checkpoint is not what its entry says");
			}
			if (a.Kind == "stamp")
				unproven.Add("time stamp " + a.Whose + " (" + file +
				    ".tsr): verify.sh and trailctl check time stamps");
			else if (a.Key == null)
				unproven.Add("receipt of the kind " + a.Kind + " of " + a.Whose +
				    " (" + file + ".checkpoint)");
			else
				Cosigned(a, note);
		}
	}
	/* Has the key cosigned the note (C2SP tlog-cosignature), and when? */
	void Cosigned(Anchor a, string note) {
		PublicKey k = PublicKey.Read(a.Key);
		byte[] s = k == null || note == null || k.Type != 4 ? null :
		    k.SignatureOf(note);
		string who = a.Kind + " " + a.Whose;
		ulong at = 0;
		for (int i = 0; s != null && i < 8 && i < s.Length; i++)
			at = at * 256 + s[i];
		if (s == null || s.Length != 72 || !k.Signed(Bytes.Of("cosignature/v1\n" +
		    "time " + at + "\n" + Head(note)), Bytes.Part(s, 8, 64)))
			throw new Wrong(a.File + ".checkpoint: the cosignature of the " +
			    who + " is wrong");
		if (known.Contains(a.Key)) {
			cosigned_by_known = true;
			vouched.Add("cosigned by the " + who + ": the first " + a.Old +
			    " entries, at " + new DateTime(1970, 1, 1).AddSeconds(at)
			    .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'",
			    CultureInfo.InvariantCulture));
		} else
			unproven.Add("cosignature of the " + who + " (" + a.File +
			    ".checkpoint): it is by the key in its entry, which you did " +
			    "not name");
	}

	/* --- 6. The answer ------------------------------------------------- */

	void Print(List<string> lines) {
		lines.Sort(StringComparer.Ordinal);
		foreach (string s in lines)
			Answer.Add("  " + Unicode(s));
	}
	void Report() {
		Answer.Add("Recorded in the log of " + origin +
		    ": time of the entry, person, path");
		foreach (string s in shown)
			Answer.Add("  " + Unicode(s));
		Answer.Add("");
		Answer.Add("What is here:");
		Print(whole);
		Print(vouched);
		Answer.Add("");
		Answer.Add("Not proven by anything, do not rely on it:");
		Print(unproven);
		if (beside.Count > 0) {
			Answer.Add("");
			Answer.Add("Left by a desktop, and not of the package:");
			beside.Sort(StringComparer.Ordinal);
			foreach (string s in beside)
				Answer.Add("  " + Screen(s));
		}
		Answer.Add("");
		Answer.Add("Proven: each file listed above is, byte for byte, what was " +
		    "recorded under that");
		Answer.Add("path, at that time, by that person, in the log that the key " +
		    "signs.");
		if (log_is_whole) {
			Answer.Add("Proven: nothing else was recorded up to the checkpoint.  " +
			    "What was recorded after");
			Answer.Add("it cannot be seen.");
		} else {
			Answer.Add("Not proven: that nothing else was recorded.  What was " +
			    "begun and is not sealed");
			Answer.Add("here may have more, other attestations, workflows and " +
			    "trails cannot be seen,");
			Answer.Add("and what was recorded after the checkpoint cannot either.");
		}
		Answer.Add(shown.Count + " files of " + origin + ", tree of " + size +
		    ": OK");
	}
}
}
'@

$more = @{}
if ($PSVersionTable.PSVersion.Major -lt 6) {
	$more['ReferencedAssemblies'] = 'System.Numerics'
}
Add-Type -TypeDefinition $source @more
# .NET has a working directory of its own.
$where = $ExecutionContext.SessionState.Path
$package = New-Object Trailfs.Package
$status = $package.Check($Key, $where.GetUnresolvedProviderPathFromPSPath($Directory),
	$(if ($Cosigners) { $where.GetUnresolvedProviderPathFromPSPath($Cosigners) } else { '' }))
$package.Answer
foreach ($line in $package.Complaints) {
	[Console]::Error.WriteLine($line)
}
exit $status

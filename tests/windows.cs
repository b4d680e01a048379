/*
 * Runs the C# of verify.ps1 without PowerShell.
 *
 * usage: windows KEY DIRECTORY [COSIGNERS]   as the script
 *        windows many                        "KEY TAB DIRECTORY" a line of the input,
 *                                            answers into the files 1, 2, ..., a
 *                                            status a line on the output
 *        windows signature KEY TEXT SIG      in hex; 0: it is right
 */
using System;
using System.IO;
using System.Text;

static class Windows {
	static int Check(string key, string directory, string cosigners, TextWriter w,
	    TextWriter complaints) {
		var p = new Trailfs.Package();
		int status = p.Check(key, directory, cosigners);

		foreach (string s in p.Answer)
			w.Write(s + "\n");
		w.Flush();
		foreach (string s in p.Complaints)
			complaints.Write(s + "\n");
		return status;
	}
	static int Main(string[] a) {
		var utf8 = new UTF8Encoding(false);
		string line;

		if (a.Length == 4 && a[0] == "signature")
			return Trailfs.Ed25519.Verify(Trailfs.Bytes.FromHex(a[1]),
			    Trailfs.Bytes.FromHex(a[2]), Trailfs.Bytes.FromHex(a[3])) ? 0 : 1;
		if (a.Length != 1)
			return Check(a[0], a[1], a.Length > 2 ? a[2] : "",
			    new StreamWriter(Console.OpenStandardOutput(), utf8),
			    Console.Error);
		for (int i = 1; (line = Console.In.ReadLine()) != null; i++) {
			string[] part = line.Split('\t');
			using (var w = new StreamWriter(i.ToString(), false, utf8))
				Console.WriteLine(Check(part[0], part[1], "", w, w));
		}
		return 0;
	}
}

// Clients of the original, as many as a test asks for, each by the number that it gives them.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Net;
using DarkRift;
using DarkRift.Client;

static class ClientProgram
{
    static readonly Dictionary<string, DarkRiftClient> Clients = new Dictionary<string, DarkRiftClient>();

    static void Main(string[] arguments)
    {
        if (arguments.Length > 0 && arguments[0] == "protocol")
        {
            Console.WriteLine(NewestProtocol());
            return;
        }
        Lines.Serve(Run);
        foreach (DarkRiftClient client in Clients.Values)
            client.Dispose();
        Environment.Exit(0);
    }

    /// <summary>The newest version of the protocol that this version of the original speaks: 2.11 brought 1.</summary>
    static int NewestProtocol()
    {
        return typeof(BichannelClientConnection).GetProperty("PreserveTcpOrdering") == null ? 0 : 1;
    }

    static void Run(string[] words)
    {
        if (Sending.Run(words, (message, mode) => Send(words[1], message, mode)))
            return;
        switch (words[0])
        {
            case "connect": Connect(words[1], words[2], int.Parse(words[3]), int.Parse(words[words.Length - 1])); break;
            case "round-trip": Lines.PrintRoundTrip(words[1], Clients[words[1]].RoundTripTime); break;
            case "state": Lines.Print("{0} state {1}", words[1], Clients[words[1]].ConnectionState); break;
            case "disconnect": Lines.Print("{0} disconnect {1}", words[1], Clients[words[1]].Disconnect()); break;
            case "dispose": Clients[words[1]].Dispose(); Clients.Remove(words[1]); Lines.Print("{0} disposed", words[1]); break;
            case "die": Process.GetCurrentProcess().Kill(); break;
        }
    }

    static void Connect(string name, string address, int tcpPort, int udpPort)
    {
        DarkRiftClient client;
        if (!Clients.TryGetValue(name, out client))
        {
            client = new DarkRiftClient();
            var receiver = new Receiver(name);
            client.MessageReceived += (sender, e) => receiver.Take(e.GetMessage(), e.SendMode, client.SendMessage);
            client.Disconnected += (sender, e) =>
                Lines.Print("{0} disconnected {1} {2}", name, e.LocalDisconnect ? "local" : "remote", e.Error);
            Clients[name] = client;
        }
        var watch = Stopwatch.StartNew();
        try
        {
            client.Connect(IPAddress.Parse(address), tcpPort, udpPort, true);
            Lines.Print("{0} connected {1}", name, client.ID);
            Lines.Print("{0} waited {1} s", name, Math.Round(watch.Elapsed.TotalSeconds));
        }
        catch (Exception exception)
        {
            Lines.Print("{0} not connected: {1}: {2}", name, exception.GetType().Name, exception.Message);
            Lines.Print("{0} waited {1} s", name, Math.Round(watch.Elapsed.TotalSeconds));
        }
    }

    static void Send(string name, Message message, SendMode mode)
    {
        using (message)
            if (!Clients[name].SendMessage(message, mode))
                Lines.Print("{0} not sent", name);
    }
}

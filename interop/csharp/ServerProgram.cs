// A server of the original, on ports of its own choice. Arguments: its address, and the version of the protocol.

using System;
using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using DarkRift;
using DarkRift.Server;

static class ServerProgram
{
    static readonly ConcurrentDictionary<ushort, IClient> Clients = new ConcurrentDictionary<ushort, IClient>();
    static DarkRiftServer server;
    static volatile bool refuses;

    static void Main(string[] arguments)
    {
        var data = new ServerSpawnData();
        data.Data.Directory = Path.Combine(AppDomain.CurrentDomain.BaseDirectory, "data-" + Process.GetCurrentProcess().Id);
        data.Server.MaxStrikes = 3;
        // A version of the original that has one protocol alone does not look at that setting.
        var settings = new NameValueCollection { { "noDelay", "true" }, { "protocolVersion", arguments[1] } };
        var listener = new ServerSpawnData.ListenersSettings.NetworkListenerSettings
        {
            Name = "Listener", Type = "BichannelListener", Address = IPAddress.Parse(arguments[0]), Port = 0,
        };
        listener.Settings.Add(settings);
        data.Listeners.NetworkListeners.Add(listener);
        server = new DarkRiftServer(data);
        server.ClientManager.ClientConnected += (sender, e) => Connected(e.Client);
        server.ClientManager.ClientDisconnected += (sender, e) =>
        {
            IClient ignored;
            Clients.TryRemove(e.Client.ID, out ignored);
            Lines.Print("{0} disconnected {1} {2}", e.Client.ID, e.LocalDisconnect ? "local" : "remote", e.Error);
        };
        server.StartServer();
        NetworkListener listening = server.NetworkListenerManager.GetNetworkListenerByName("Listener");
        Lines.Print("listening {0} {1}", listening.Port, listening.GetType().GetProperty("UdpPort").GetValue(listening, null));
        Lines.Serve(Run);
        server.Dispose();
        Directory.Delete(data.Data.Directory, true);
        Environment.Exit(0);
    }

    static void Connected(IClient client)
    {
        if (refuses)
            client.Disconnect();
        Clients[client.ID] = client;
        var receiver = new Receiver(client.ID.ToString());
        client.MessageReceived += (sender, e) => receiver.Take(e.GetMessage(), e.SendMode, client.SendMessage);
        client.StrikeOccured += (sender, e) => Lines.Print("{0} strike {1} {2}", client.ID, e.Reason, e.Weight);
        Lines.Print("{0} connected", client.ID);
    }

    static void Run(string[] words)
    {
        if (Sending.Run(words, (message, mode) => Send(words[1], message, mode)))
            return;
        switch (words[0])
        {
            case "round-trip": Lines.PrintRoundTrip(words[1], Clients[ushort.Parse(words[1])].RoundTripTime); break;
            case "strike": Clients[ushort.Parse(words[1])].Strike("asked for", int.Parse(words[2])); break;
            case "disconnect": Lines.Print("{0} disconnect {1}", words[1], Clients[ushort.Parse(words[1])].Disconnect()); break;
            case "refuse": refuses = true; Lines.Print("- refuses"); break;
            case "count": Lines.Print("- count {0}", server.ClientManager.Count); break;
            case "stop": server.Dispose(); Lines.Print("- stopped"); break;
            case "die": Process.GetCurrentProcess().Kill(); break;
        }
    }

    static void Send(string name, Message message, SendMode mode)
    {
        using (message)
            foreach (IClient client in name == "all" ? server.ClientManager.GetAllClients() : new[] { Clients[ushort.Parse(name)] })
                if (!client.SendMessage(message, mode))
                    Lines.Print("{0} not sent", client.ID);
    }
}

// What both programs share: lines on the console, payloads that can be recognised, and a message of every type.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using DarkRift;

/// <summary>Commands come as lines on the standard input, events leave as lines on the standard output.</summary>
static class Lines
{
    static readonly object ConsoleLock = new object();

    public static void Print(string format, params object[] values)
    {
        lock (ConsoleLock)
        {
            Console.Out.WriteLine(string.Format(format, values).Replace('\r', ' ').Replace('\n', ' '));
            Console.Out.Flush();
        }
    }

    public static void PrintRoundTrip(string name, RoundTripTimeHelper time)
    {
        Print("{0} round-trip {1}", name, time.LatestRtt > 0 && time.LatestRtt < 1 ? "measured" : "not measured");
    }

    /// <summary>Runs each command until the standard input ends; what it throws is told and not fatal.</summary>
    public static void Serve(Action<string[]> command)
    {
        string line;
        while ((line = Console.In.ReadLine()) != null)
        {
            var words = line.Split(' ');
            try
            {
                command(words);
            }
            catch (Exception exception)
            {
                Print("{0} threw {1}: {2}", words.Length > 1 ? words[1] : "-", exception.GetType().Name, exception.Message);
            }
        }
    }
}

/// <summary>The commands that send something, the same in both programs.</summary>
static class Sending
{
    /// <summary>Does what the command says, if it is one of these.</summary>
    public static bool Run(string[] words, Action<Message, SendMode> send)
    {
        SendMode mode;
        if (words.Length < 3 || !Enum.TryParse(words[2], out mode))
            return false;
        switch (words[0])
        {
            case "send": send(Payload.Message(ushort.Parse(words[3]), int.Parse(words[4])), mode); break;
            case "types": send(Message.Create(Tags.EveryType, EveryType.Example()), mode); break;
            case "text": send(Text(words[3]), mode); break;
            case "ping": send(Ping(ushort.Parse(words[3])), mode); break;
            case "burst":
                int count = int.Parse(words[3]);
                for (int number = 0; number < count; number++)
                    send(Payload.Number(number), mode);
                send(Payload.Number(-1 - count), SendMode.Reliable);
                break;
            default: return false;
        }
        return true;
    }

    static Message Text(string hexadecimal)
    {
        using (DarkRiftWriter writer = DarkRiftWriter.Create())
        {
            writer.Write(Receiver.Text(hexadecimal));
            return Message.Create(Tags.Text, writer);
        }
    }

    static Message Ping(ushort tag)
    {
        Message message = Message.CreateEmpty(tag);
        message.MakePingMessage();
        return message;
    }

    /// <summary>The acknowledgement of a ping, which the original leaves to the game.</summary>
    public static Message Acknowledgement(Message ping)
    {
        Message answer = Message.CreateEmpty(ping.Tag);
        answer.MakePingAcknowledgementMessage(ping);
        return answer;
    }
}

/// <summary>The tags that mean something to both programs and to the tests.</summary>
static class Tags
{
    /// <summary>A payload made by <see cref="Payload"/>.</summary>
    public const ushort Pattern = 10;
    /// <summary>A number of a burst; only the end of the burst is told.</summary>
    public const ushort Burst = 11;
    /// <summary>The message of every type.</summary>
    public const ushort EveryType = 12;
    /// <summary>Text alone.</summary>
    public const ushort Text = 13;
}

/// <summary>Bytes that follow from their number, so that either side can tell whether they arrived whole.</summary>
static class Payload
{
    public static byte[] Of(int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = (byte)(i * 31 + length);
        return bytes;
    }

    public static Message Message(ushort tag, int length)
    {
        using (DarkRiftWriter writer = DarkRiftWriter.Create(Math.Max(length, 1)))
        {
            writer.WriteRaw(Of(length), 0, length);
            return DarkRift.Message.Create(tag, writer);
        }
    }

    public static Message Number(int number)
    {
        using (DarkRiftWriter writer = DarkRiftWriter.Create(4))
        {
            writer.Write(number);
            return DarkRift.Message.Create(Tags.Burst, writer);
        }
    }
}

/// <summary>Tells what arrives at one end of one connection.</summary>
class Receiver
{
    readonly string name;
    readonly object countLock = new object();
    int expected, outOfOrder;

    public Receiver(string name)
    {
        this.name = name;
    }

    /// <summary>Tells what came, and acknowledges it where it is a ping.</summary>
    public void Take(Message message, SendMode mode, Func<Message, SendMode, bool> send)
    {
        using (message)
        {
            Tell(message, mode);
            if (message.IsPingMessage)
                using (Message answer = Sending.Acknowledgement(message))
                    send(answer, mode);
        }
    }

    void Tell(Message message, SendMode mode)
    {
        string kind = message.IsPingMessage ? "ping" : message.IsPingAcknowledgementMessage ? "acknowledgement" : "message";
        using (DarkRiftReader reader = message.GetReader())
        {
            if (message.Tag == Tags.Burst && kind == "message")
                Count(reader.ReadInt32());
            else if (message.Tag == Tags.EveryType)
                Lines.Print("{0} types {1}", name, EveryType.Differences(message.Deserialize<EveryType>()));
            else if (message.Tag == Tags.Text)
                Lines.Print("{0} text {1}", name, Hexadecimal(reader.ReadString()));
            else
                Lines.Print("{0} {1} {2} {3} {4} {5}", name, kind, mode, message.Tag, reader.Length,
                    reader.ReadRaw(reader.Length).SequenceEqual(Payload.Of(reader.Length)) ? "whole" : "damaged");
        }
    }

    /// <summary>The end of a burst is the number -1 - n, where n is how many there were.</summary>
    void Count(int number)
    {
        lock (countLock)
        {
            if (number >= 0)
            {
                if (number != expected)
                    outOfOrder++;
                expected++;
                return;
            }
            Lines.Print("{0} burst {1} of {2}, {3} out of order", name, expected, -1 - number, outOfOrder);
            expected = 0;
            outOfOrder = 0;
        }
    }

    /// <summary>The units of UTF-16 in hexadecimal, as the console's own encoding is not to be relied on.</summary>
    public static string Hexadecimal(string text)
    {
        return string.Join("", text.Select(unit => ((int)unit).ToString("x4")));
    }

    public static string Text(string hexadecimal)
    {
        var text = new StringBuilder();
        for (int i = 0; i < hexadecimal.Length; i += 4)
            text.Append((char)Convert.ToInt32(hexadecimal.Substring(i, 4), 16));
        return text.ToString();
    }
}

class Nested : IDarkRiftSerializable
{
    public ushort Number;
    public string Name = "";

    public void Serialize(SerializeEvent e)
    {
        e.Writer.Write(Number);
        e.Writer.Write(Name);
    }

    public void Deserialize(DeserializeEvent e)
    {
        Number = e.Reader.ReadUInt16();
        Name = e.Reader.ReadString();
    }
}

/// <summary>Each type that the writer has, in the order of its fields; the tests have the same as a struct.</summary>
class EveryType : IDarkRiftSerializable
{
    readonly List<object> fields = new List<object>();

    public static EveryType Example()
    {
        var example = new EveryType();
        example.fields.AddRange(new object[]
        {
            true, (byte)255, (sbyte)-128, (short)-32768, (ushort)65535, -2147483648, 4294967295u, long.MinValue,
            ulong.MaxValue, -1.5f, 0.1, '\u00e9', "Hello", "", "na\u00efve \u4e16\u754c \ud83d\ude00", "\u20ac in UTF-8",
            new byte[] { 0, 255, 128 }, new byte[0],
            new[] { true, false, true, true, false, false, true, false, true }, new bool[0],
            new[] { 'a', '\u20ac' }, new sbyte[] { -1, 127 }, new short[] { -1, 258 }, new ushort[] { 258, 65535 },
            new[] { -1, int.MaxValue }, new[] { 0u, uint.MaxValue }, new[] { -1L, long.MaxValue },
            new[] { 1UL, ulong.MaxValue }, new[] { 1.5f, -0.25f }, new[] { 0.1, -1e300 },
            new[] { "one", "", "\ud83d\ude00" }, new Nested { Number = 7, Name = "seven" },
            new[] { new Nested { Number = 8, Name = "eight" }, new Nested() }, new Raw(new byte[] { 1, 2, 3 }),
        });
        return example;
    }

    /// <summary>The last field: bytes without a length.</summary>
    class Raw
    {
        public readonly byte[] Bytes;

        public Raw(byte[] bytes)
        {
            Bytes = bytes;
        }
    }

    public void Serialize(SerializeEvent e)
    {
        DarkRiftWriter writer = e.Writer;
        for (int i = 0; i < fields.Count; i++)
        {
            // The fourth text names an encoding of its own.
            if (i == 15)
                writer.Write((string)fields[i], Encoding.UTF8);
            else if (fields[i] is Raw)
                writer.WriteRaw(((Raw)fields[i]).Bytes, 0, 3);
            else
                Write(writer, fields[i]);
        }
    }

    static void Write(DarkRiftWriter writer, object field)
    {
        if (field is bool) writer.Write((bool)field);
        else if (field is byte) writer.Write((byte)field);
        else if (field is sbyte) writer.Write((sbyte)field);
        else if (field is short) writer.Write((short)field);
        else if (field is ushort) writer.Write((ushort)field);
        else if (field is int) writer.Write((int)field);
        else if (field is uint) writer.Write((uint)field);
        else if (field is long) writer.Write((long)field);
        else if (field is ulong) writer.Write((ulong)field);
        else if (field is float) writer.Write((float)field);
        else if (field is double) writer.Write((double)field);
        else if (field is char) writer.Write((char)field);
        else if (field is string) writer.Write((string)field);
        else if (field is Nested) writer.Write((Nested)field);
        else WriteArray(writer, field);
    }

    // `is` takes the array of a signed type for that of the unsigned one; the exact type is what decides.
    static void WriteArray(DarkRiftWriter writer, object field)
    {
        Type type = field.GetType();
        if (type == typeof(byte[])) writer.Write((byte[])field);
        else if (type == typeof(bool[])) writer.Write((bool[])field);
        else if (type == typeof(char[])) writer.Write((char[])field);
        else if (type == typeof(sbyte[])) writer.Write((sbyte[])field);
        else if (type == typeof(short[])) writer.Write((short[])field);
        else if (type == typeof(ushort[])) writer.Write((ushort[])field);
        else if (type == typeof(int[])) writer.Write((int[])field);
        else if (type == typeof(uint[])) writer.Write((uint[])field);
        else if (type == typeof(long[])) writer.Write((long[])field);
        else if (type == typeof(ulong[])) writer.Write((ulong[])field);
        else if (type == typeof(float[])) writer.Write((float[])field);
        else if (type == typeof(double[])) writer.Write((double[])field);
        else if (type == typeof(string[])) writer.Write((string[])field);
        else writer.Write((Nested[])field);
    }

    public void Deserialize(DeserializeEvent e)
    {
        DarkRiftReader r = e.Reader;
        fields.AddRange(new object[]
        {
            r.ReadBoolean(), r.ReadByte(), r.ReadSByte(), r.ReadInt16(), r.ReadUInt16(), r.ReadInt32(), r.ReadUInt32(),
            r.ReadInt64(), r.ReadUInt64(), r.ReadSingle(), r.ReadDouble(), r.ReadChar(), r.ReadString(), r.ReadString(),
            r.ReadString(), r.ReadString(Encoding.UTF8), r.ReadBytes(), r.ReadBytes(), r.ReadBooleans(), r.ReadBooleans(),
            r.ReadChars(), r.ReadSBytes(), r.ReadInt16s(), r.ReadUInt16s(), r.ReadInt32s(), r.ReadUInt32s(), r.ReadInt64s(),
            r.ReadUInt64s(), r.ReadSingles(), r.ReadDoubles(), r.ReadStrings(), r.ReadSerializable<Nested>(),
            r.ReadSerializables<Nested>(), new Raw(r.ReadRaw(3)),
        });
        if (r.Position != r.Length)
            fields.Add("and " + (r.Length - r.Position) + " bytes more");
    }

    /// <summary>The fields that are not those of the example, or "equal".</summary>
    public static string Differences(EveryType read)
    {
        EveryType example = Example();
        var differences = new List<string>();
        for (int i = 0; i < Math.Max(example.fields.Count, read.fields.Count); i++)
        {
            string expected = i < example.fields.Count ? Show(example.fields[i]) : "nothing";
            string found = i < read.fields.Count ? Show(read.fields[i]) : "nothing";
            if (expected != found)
                differences.Add("field " + i + ": " + found + " for " + expected);
        }
        return differences.Count == 0 ? "equal" : string.Join("; ", differences);
    }

    static string Show(object field)
    {
        if (field is string)
            return "text " + Receiver.Hexadecimal((string)field);
        if (field is char)
            return "char " + (int)(char)field;
        if (field is Nested)
            return "nested " + ((Nested)field).Number + " " + Receiver.Hexadecimal(((Nested)field).Name);
        if (field is Raw)
            return "raw " + BitConverter.ToString(((Raw)field).Bytes);
        if (field is Array)
            return field.GetType().Name + " " + string.Join(",", ((Array)field).Cast<object>().Select(Show));
        return field.GetType().Name + " " + Convert.ToString(field, System.Globalization.CultureInfo.InvariantCulture);
    }
}

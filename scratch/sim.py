"""sim.py SET ADAPTER CACHE [key=value ...]: SET is tuning|folders; replays kept replies, asks the LLM for others."""
import sys,json,time,hashlib,subprocess,os,pickle,collections
from pathlib import Path
from types import SimpleNamespace as NS
from llama_index.core.llms import ChatMessage, ChatResponse, CustomLLM, LLMMetadata
from typing import Any
from rag import prompts, config, engine, llm, models, grounding, drafting
from rag.engine import Engine
from eval import run, run_qa
from eval.sets import read_questions
name,adapter,cache=sys.argv[1:4]; over=dict(a.split("=") for a in sys.argv[4:])
root=Path("/work/main/eval")/name
s=config.load()
st=Path(f"/tmp/w/st-{name}")
if not st.exists(): subprocess.run([sys.executable,"-c","from rag.cli import main; main()","index","--corpus",str(root/"corpus"),"--storage",str(st)],check=True)
def upd(s,over):
    for k,v in over.items():
        sec,f=k.split("."); s=s.model_copy(update={sec:getattr(s,sec).model_copy(update={f:float(v) if "." in v else int(v)})})
    return s
s=s.model_copy(update={"corpus":root/"corpus","storage":st,"llm":s.llm.model_copy(update={"adapter":adapter})})
s=upd(s,over)
kept={}
if Path(cache).exists():
    for l in open(cache):
        k,v=json.loads(l); kept[k]=v
f=open(cache,"a")
def key(ms,kind): return hashlib.sha1((kind+"\0".join(f"{m.role.value}:{m.content}" for m in ms)).encode()).hexdigest()
def keep(k,v): kept[k]=v; f.write(json.dumps([k,v],ensure_ascii=False)+"\n"); f.flush(); return v
_inner=[]
def inner():
    if not _inner: _inner.append(engine.load_llm(s))
    return _inner[0]
class Cached(CustomLLM):
    @property
    def metadata(self): return LLMMetadata(model_name="c",is_chat_model=True)
    def stream_chat(self,ms,**kw): raise NotImplementedError
    def first_token(self,ms,timeout_s):
        ks=key(ms,"s")
        if ks in kept and len(ms)==2: return kept[ks][1],llm.Usage(kept[ks][2],1)
        k=key(ms,"f")
        if k not in kept:
            t=time.time(); d,u=inner().first_token(ms,timeout_s); keep(k,[d,u.prompt_tokens,time.time()-t])
        return kept[k][0],llm.Usage(kept[k][1],1)
    def complete(self,*a,**k): raise NotImplementedError
    def stream_complete(self,*a,**k): raise NotImplementedError
ostream=llm.stream
def stream(m,ms,t,grammar=""):
    if not isinstance(m,Cached):
        return (yield from ostream(m,ms,t,grammar))
    ks=key(ms,"s"); n=grammar.split('"')[1] if grammar else ""
    if ks in kept and grammar and kept[ks][0].startswith(n): k=ks
    else:
        k=key(ms,"g"+grammar)
        if k not in kept:
            t=time.time(); r=llm.whole(ostream(inner(),ms,120,grammar)); keep(k,[r.text,{},r.usage.prompt_tokens,r.usage.completion_tokens,time.time()-t])
    yield kept[k][0]
    return llm.Reply(kept[k][0],llm.Usage(kept[k][2],kept[k][3]))
llm.stream=stream
def count(m,text):
    k="n"+hashlib.sha1(text.encode()).hexdigest()
    if k not in kept: keep(k,inner().count_tokens(text))
    return kept[k]
llm.count_tokens=count
orig_joined=grounding.joined; log=[]
qs=read_questions(root/"questions.jsonl")
qs=qs[:int(os.environ.get('NQ','999'))]
evf=Path(f"/tmp/w/ev-{name}-{s.retrieval.passages}-{s.retrieval.evidence_sentences}.pkl"); evs=pickle.load(open(evf,"rb")) if evf.exists() else {}
def go(s,show=True,rows=None):
    with engine.open_retriever(s) as ret:
        old=ret.evidence
        def ev(q,c="",*,read_as=""):
            k=(q,c,read_as)
            if k not in evs: evs[k]=old(q,c,read_as=read_as)
            return evs[k]
        ret.evidence=ev
        sys_=run_qa.rawi(s,ret,Cached())
        gold={q.id:run_qa.locate(q,sys_.texts,root) for q in qs}
        yield from variations(s,ret,sys_,gold)
    pickle.dump(evs,open(evf,"wb"))
def measure(eng,gold,texts):
    tab=collections.defaultdict(collections.Counter); out=[]
    for q in qs:
        line=run.ask(eng,q.question,q.context_turns); line=json.loads(json.dumps(line,default=str))
        if q.answerable:
            o=run_qa.outcome(q,line,gold[q.id]); d=run_qa.direction(q,gold[q.id],texts)
        else: o="refused" if line["abstained"] else ("right" if run_qa.outcome(q,line,[])=="right" and q.must_include else "answered"); d="none "+q.language
        tab[d][o]+=1; out.append((q,d,o,line))
    return tab,out
def show(tab):
    for d in sorted(tab):
        n=sum(tab[d].values()); print(f"  {d:10}",n," ".join(f"{o} {tab[d][o]/n:.2f}" for o in ("right","incomplete","wrong","refused","answered") if tab[d][o]))
if __name__=="__main__":
    def variations(s,ret,sys_,gold):
        eng=sys_.pipeline; tab,out=measure(eng,gold,sys_.texts); show(tab)
        json.dump([[q.id,d,o,l] for q,d,o,l in out],open(f"/tmp/w/out-{name}.json","w"),ensure_ascii=False,default=str)
        yield 1
    list(go(s))

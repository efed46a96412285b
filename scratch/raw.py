import sys
exec(open("/tmp/w/sim.py").read().split('if __name__')[0])
from rag import drafting
rec=[]
osh=drafting.Drafter.short
def variations(s,ret,sys_,gold):
    e=Engine(upd(s,{"answer.sure":"1.0","answer.min_confidence":"0.0","answer.min_yes":"-20.0"}),ret,Cached())
    cur={}
    oc=grounding.check
    def check(answer,question,language,used,max_words):
        r=oc(answer,question,language,used,max_words); cur['a']=answer; cur['used']=[(f.doc,f.start,f.end) for f in used]; cur['ok']=bool(r.text); return r
    grounding.check=check
    c=collections.defaultdict(collections.Counter)
    for q in qs:
        cur.clear(); line=run.ask(e,q.question,q.context_turns); line=json.loads(json.dumps(line,default=str))
        if not q.answerable or 'a' not in cur: continue
        d=run_qa.direction(q,gold[q.id],sys_.texts)
        l2=dict(line); l2['answer']=cur['a']; l2['citations']=[]; l2['abstained']=False
        o=run_qa.outcome(q,l2,gold[q.id])
        g=gold[q.id]; hit=any(u[0]==x[0] and u[1]<x[2] and u[2]>x[1] for u in cur['used'] for x in [(z.doc,z.start,z.end) if hasattr(z,'doc') else tuple(z) for z in g])
        c[d]['n']+=1; c[d]['raw '+o]+=1; c[d]['gold used']+=hit; c[d]['certain ok']+=cur['ok']; c[d]['right but not ok']+=(o=='right' and not cur['ok']); c[d]['gold used & right']+=hit and o=='right'
        if '←' in d and d[0]!=d[-2] and hit and o!='right': print(d,q.question[:70],'|',cur['a'][:70],'|',q.answer[:60])
    for d in c: print(d,dict(c[d]))
    yield 1
list(go(s))
